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
  const rules = page.getByLabel('Rules');
  const days = JSON.parse(await rules.inputValue()) as { suppression_days: number };
  await rules.fill(JSON.stringify({ ...days, suppression_days: days.suppression_days + 1 }));
  await page.getByText('suppression_days').first().waitFor();
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
