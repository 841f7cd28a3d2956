import { expect, test } from 'vitest';
import { api, at, env, inbound, signedIn } from './world';

type Rows<T> = { data: T[] };

test('what sounds like an opt-out waits on Home until a person says what it was', async () => {
  const { data } = await api<Rows<{ number: string }>>('/v1/senders?limit=1');
  await inbound('+16465550122', data[0]?.number ?? '', 'Por favor no me manden mas mensajes');
  const open = '/v1/consent/reviews?phone=%2B16465550122&decided=false';
  await expect.poll(async () => (await api<Rows<object>>(open)).data.length, { timeout: 30_000 }).toBe(1);

  const page = await signedIn(env('KEY'));
  await page.getByRole('link', { name: 'A text sounds like an opt-out' }).click();
  const row = page.getByRole('row').filter({ hasText: '+16465550122' });
  await row.getByText('no me manden mas').waitFor();
  await row.getByRole('button', { name: 'It is none' }).click();
  await row.getByText('None', { exact: true }).waitFor();
  expect((await api<Rows<object>>(open)).data).toEqual([]);
});

test('a key that is limited to a brand shows that brand alone', async () => {
  const brand = await api<{ id: string }>('/v1/brands', { name: 'Coffee' });
  const page = await signedIn(env('KEY'), '/settings?tab=keys');
  await page.getByLabel('Name').fill('coffee machine');
  await page.getByLabel('Role').selectOption('operator');
  await page.getByLabel('Coffee', { exact: true }).check();
  await page.getByRole('button', { name: 'New key' }).click();
  const key = (await page.getByRole('dialog').locator('code').textContent()) ?? '';
  await page.getByRole('button', { name: 'Done' }).click();
  await page
    .getByRole('row')
    .filter({ hasText: 'coffee machine' })
    .getByText('Coffee', { exact: true })
    .waitFor();

  await page.context().close();
  const limited = await signedIn(key, '/settings?tab=brands');
  await limited.getByText('Coffee').first().waitFor();
  await limited.goto(at('/campaigns'));
  await limited.getByText('There is none yet').waitFor();
  expect(brand.id).toMatch(/^[0-9a-f-]{36}$/);
});

test('a test key shows the twin of its company', async () => {
  const body = { name: 'trial', role: 'admin', mode: 'test' };
  const { key } = await api<{ key: string }>('/v1/api-keys', body);
  const page = await signedIn(key, '/campaigns');
  await page.getByText('There is none yet').waitFor();
});
