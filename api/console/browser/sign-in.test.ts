import { expect, test } from 'vitest';
import { api, at, env, open, signedIn } from './world';

const PASSWORD = 'a mill by the river';

test('a link of an invitation leads in once, and the password from then on', async () => {
  const code = env('INVITATION');
  const page = await open();
  await page.goto(at(`/join#${code}`));
  await page.getByLabel('Your name').fill('Ana');
  expect(page.url()).not.toContain(code);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Accept and sign in' }).click();
  await page.getByRole('heading', { name: 'Home' }).waitFor();

  await page.getByRole('button', { name: 'Ana' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.goto(at(`/join#${code}`));
  await page.getByLabel('Your name').fill('Ana');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Accept and sign in' }).click();
  await page.getByRole('alert').waitFor();
});

test('what is wrong is said with the id of the request', async () => {
  const page = await open();
  await page.goto(at('/campaigns'));
  await page.getByLabel('Email').fill('nobody@example.com');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  const alert = page.getByRole('alert');
  await alert.getByText(/Request [0-9a-f-]+/).waitFor();
  expect(await alert.innerText()).toMatch(/\w{4}/);
});

test('a key leads to the page that was asked for', async () => {
  const page = await open();
  await page.goto(at('/campaigns'));
  await page.getByRole('button', { name: 'Use an API key' }).click();
  await page.getByLabel('API key').fill(env('KEY'));
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Campaigns' }).waitFor();
});

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
  await page.getByLabel('Name').waitFor();
  expect(await page.getByRole('link', { name: 'API keys' }).count()).toBe(0);
});
