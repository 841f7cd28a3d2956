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

test('the page is in the colour of the company, as far as it can be read', async () => {
  const page = await signedIn(env('OTHER_KEY'), '/settings');
  await page.getByLabel('Colour').fill('#ffdd00');
  await page.getByRole('button', { name: 'Save the look' }).click();
  await page.getByText('It is saved.').waitFor();
  type Company = { theme: { colour: string } };
  const company = await api<Company>('/v1/tenant', undefined, 'GET', env('OTHER_KEY'));
  expect(company.theme.colour).toBe('#ffdd00');
  const variable = (name: string) =>
    page.evaluate((of) => document.documentElement.style.getPropertyValue(of), name);
  await expect.poll(() => variable('--accent-strong')).toMatch(/^#[0-9a-f]{6}$/);
  expect(await variable('--accent-strong')).not.toBe('#ffdd00');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(() => variable('--accent')).toBe('#ffdd00');
});

test('people that are chosen are given a tag at once', async () => {
  const page = await signedIn(env('KEY'), '/contacts');
  const tag = `bulk${Date.now()}`;
  await page.getByLabel('Choose row 1', { exact: true }).check();
  await page.getByLabel('Choose row 2', { exact: true }).check();
  const bulk = page.getByRole('region', { name: 'The people that are chosen' });
  await bulk.getByText('2 chosen').waitFor();
  await bulk.getByLabel('Tag').fill(tag);
  await bulk.getByRole('button', { name: 'Add the tag' }).click();
  await page.getByText('2 are changed').waitFor();
  expect((await api<Rows<object>>(`/v1/contacts?tag=${tag}`)).data.length).toBe(2);
});

test('a brand and a pool are changed, and a pool that was removed comes back by undo', async () => {
  const page = await signedIn(env('KEY'), '/settings?tab=brands');
  const name = `Tea ${Date.now()}`;
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'New brand' }).click();
  const row = page.getByRole('row').filter({ hasText: name });
  await row.getByRole('button', { name: 'Edit' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name that recipients know').fill(`${name} house`);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page
    .getByRole('row')
    .filter({ hasText: `${name} house` })
    .waitFor();

  const pool = `Pool ${Date.now()}`;
  const { data } = await api<Rows<{ id: string }>>('/v1/senders?limit=1');
  await api('/v1/pools', { name: pool, senders: [data[0]?.id] });
  await page.goto(at('/senders?tab=pools'));
  const one = page.getByRole('row').filter({ hasText: pool });
  await one.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await one.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await one.waitFor();
});

test('a carrier account is added, and its secret is never shown', async () => {
  const page = await signedIn(env('KEY'), '/settings?tab=accounts');
  const { data } = await api<Rows<{ account: string; base_url: string }>>('/v1/carrier-accounts');
  const name = `spare-${Date.now()}`;
  await page.getByRole('button', { name: 'New account' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByLabel("Carrier's id").fill(`AC${'0'.repeat(22)}${String(Date.now()).slice(-10)}`);
  await dialog.getByLabel('Secret at the carrier').fill('a-secret-of-the-carrier');
  await dialog.getByLabel("Address of the carrier's API").fill(data[0]?.base_url ?? '');
  await dialog.getByRole('button', { name: 'New account' }).click();
  const row = page.getByRole('row').filter({ hasText: name });
  await row.getByRole('button', { name: 'Edit' }).click();
  expect(await dialog.getByLabel('New secret at the carrier').inputValue()).toBe('');
  expect(await page.content()).not.toContain('a-secret-of-the-carrier');
  await dialog.getByRole('button', { name: 'Remove the account' }).click();
  await dialog.getByRole('textbox').fill(name);
  await dialog.getByRole('button', { name: 'Remove the account' }).click();
  await row.waitFor({ state: 'detached' });
});

test('operations count what is on its way as the API counts it, and are not for agents', async () => {
  const page = await signedIn(env('KEY'), '/operations');
  const way = page.getByTestId('on-its-way');
  await way.getByText('In doubt').waitFor();
  const { totals } = await api<{ totals: Record<string, number> }>('/v1/analytics/dashboard');
  const held = way.getByRole('listitem').filter({ hasText: 'Held' }).getByRole('link');
  await expect.poll(() => held.innerText()).toBe((totals.held ?? 0).toLocaleString('en'));
  await page.goto(at('/operations?tab=conflicts'));
  await page.getByText('No key was used for two messages.').waitFor();

  await page.context().close();
  const { key } = await api<{ key: string }>('/v1/api-keys', { name: 'agent', role: 'agent' });
  const agent = await signedIn(key, '/contacts');
  await agent.getByRole('link', { name: 'Import people' }).waitFor();
  expect(await agent.getByRole('link', { name: 'Operations' }).count()).toBe(0);
});
