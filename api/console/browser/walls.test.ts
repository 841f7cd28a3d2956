import { expect, test } from 'vitest';
import { api, at, env, signedIn } from './world';

test('two companies never see each other', async () => {
  const page = await signedIn(env('OTHER_KEY'), '/campaigns');
  await page.getByText('There is none yet').waitFor();
  await page.goto(at('/contacts'));
  await page.getByText('Import a file to begin').waitFor();
  const { data } = await api<{ data: { id: string }[] }>('/v1/contacts?limit=1');
  await page.goto(at(`/contacts/${data[0]?.id}`));
  await page.getByText('There is no such thing').first().waitFor();
});

test('a viewer is shown nothing that a viewer may not do', async () => {
  const { key } = await api<{ key: string }>('/v1/api-keys', { name: 'viewer', role: 'viewer' });
  const page = await signedIn(key, '/contacts');
  await page.locator('tbody tr').first().waitFor();
  expect(await page.getByRole('link', { name: 'Import people' }).count()).toBe(0);
  await page.goto(at('/campaigns'));
  await page.locator('tbody tr').first().waitFor();
  expect(await page.getByRole('link', { name: 'New campaign' }).count()).toBe(0);
  await page.goto(at('/budgets'));
  await page.getByText('Everything is on').waitFor();
  expect(await page.getByRole('button', { name: 'Hold everything' }).count()).toBe(0);
  await page.goto(at('/settings?tab=keys'));
  await page.getByLabel('Name', { exact: true }).waitFor();
  expect(await page.getByRole('link', { name: 'API keys' }).count()).toBe(0);
});
