import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { api, at, demo, env, signedIn } from './world';

test('a bar opens the people behind it, each with why, and their file', async () => {
  const { id } = await demo();
  const page = await signedIn(env('KEY'), `/campaigns/${id}`);
  await page.getByTestId('funnel').getByText('Blocked').click();
  expect(page.url()).toContain('state=blocked');
  await page.getByText('do-not-contact').first().waitFor();

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'These as CSV' }).click(),
  ]);
  const lines = readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\n');
  const { totals } = await api<{ totals: Record<string, number> }>(`/v1/analytics/campaigns/${id}`);
  expect(lines.length - 1).toBe(totals.blocked);
  expect(lines[1]).toContain('blocked');

  await page.locator('tbody a').first().click();
  await page.getByText('Gates: blocked').waitFor();
});

test('what if asks every gate, at another time too', async () => {
  const page = await signedIn(env('KEY'), '/why');
  await page.getByLabel('Phone number').fill('+12025550123');
  await page.getByRole('button', { name: 'Ask every gate' }).click();
  const answer = page.getByTestId('explanation');
  await answer.getByText('would not be sent').waitFor();
  expect(await answer.locator('li').count()).toBe(8);
  await page.getByLabel('Phone number').fill('12');
  await page.getByRole('button', { name: 'Ask every gate' }).click();
  await page.getByRole('alert').waitFor();
});

test('a switch holds everything, says so on every page, and lets it go on', async () => {
  const page = await signedIn(env('KEY'), '/budgets');
  await page.getByRole('button', { name: 'Hold everything' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('waits until you let it go').waitFor();
  await dialog.getByLabel('Why').fill('carrier incident');
  await dialog.getByRole('button', { name: 'Hold everything' }).click();
  await page.getByText('Everything is held: carrier incident.').waitFor();
  await page.goto(at('/campaigns'));
  await page.getByText('Everything is held: carrier incident.').waitFor();
  await page.getByRole('link', { name: 'Open the switches' }).click();
  await page.getByRole('button', { name: 'Let it go on' }).click();
  await page.getByText('Everything is on.').waitFor();
});

test('a policy shows what would change before it is in force', async () => {
  const page = await signedIn(env('KEY'), '/compliance?tab=policy');
  const days = page.getByLabel('suppression_days');
  const next = Number(await days.inputValue()) + 1;
  await days.fill(String(next));
  await days.press('Tab');
  await page.getByRole('button', { name: 'Put 1 changes in force' }).waitFor();
  await page.getByRole('button', { name: 'As JSON' }).click();
  const rules = JSON.parse(await page.getByLabel('Rules').inputValue()) as { suppression_days: number };
  expect(rules.suppression_days).toBe(next);
  await page.getByRole('button', { name: 'Put 1 changes in force' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Put 1 changes in force' }).click();
  await page.getByText(/Version \d+ is in force/).waitFor();

  await page.goto(at('/compliance?tab=audit'));
  await page.getByRole('button', { name: 'Check the chain' }).click();
  await page.getByText('The chain holds').waitFor({ timeout: 60_000 });
});

test('somebody is put on the do-not-contact list, and undo takes them off', async () => {
  const phone = '+12025550198';
  const page = await signedIn(env('KEY'), `/compliance?tab=dnc&phone=${encodeURIComponent(phone)}`);
  await page.getByRole('button', { name: 'Add a number' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Phone number').fill(phone);
  await dialog.getByLabel('Why').fill('asked by phone');
  await dialog.getByRole('button', { name: 'Add a number' }).click();
  await page.locator('tbody').getByText('asked by phone').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.locator('tbody').getByText('asked by phone').waitFor({ state: 'detached' });
});

test('the map of quiet hours says of every state what the gate says', async () => {
  const page = await signedIn(env('KEY'), '/compliance?tab=hours');
  const map = page.getByTestId('quiet-hours');
  await map.waitFor({ timeout: 60_000 });
  expect(await map.getByRole('listitem').count()).toBe(51);

  // At four in the morning in New York marketing waits there, whatever the hour is now.
  await page.getByLabel('At', { exact: true }).fill('2027-03-03T04:00');
  await page.getByRole('button', { name: 'Ask for every state' }).click();
  const row = page.getByRole('listitem').filter({ hasText: /^NY.*until/ });
  await row.waitFor({ timeout: 60_000 });
});

test('campaigns stand beside each other with the figures of their ledgers', async () => {
  const { id } = await demo();
  const copy = await api<{ id: string }>(`/v1/campaigns/${id}/clone`, {});
  const page = await signedIn(env('KEY'), `/campaigns/compare?ids=${id},${copy.id}`);
  const table = page.getByTestId('compared');
  await table.waitFor();
  const { replies } = await api<{ replies: number }>(`/v1/campaigns/${id}/ledger`);
  const row = table.getByRole('row').filter({ hasText: 'Replies' });
  expect((await row.getByRole('cell').allInnerTexts())[0]).toBe(replies.toLocaleString('en'));
  await page.goto(at('/campaigns/compare'));
  await page.getByText('Choose two campaigns or more').waitFor();
});
