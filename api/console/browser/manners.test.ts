import { expect, test } from 'vitest';
import { at, env, open, signedIn } from './world';

test('everything goes by keys alone', async () => {
  const page = await signedIn(env('KEY'));
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('A page, a campaign, a number').waitFor();
  await page.keyboard.type('Campaigns');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Campaigns', level: 1 }).waitFor();
  await page.locator('tbody tr').first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(/campaigns\/[0-9a-f-]{36}/);
  await page.keyboard.press('?');
  await page.getByRole('dialog').getByText('Next and previous row').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  await page.goto(at('/contacts'));
  await page.locator('tbody tr').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('Ana');
  await page.waitForURL(/q=Ana/);
});

test('it speaks Spanish to who does, and remembers what was chosen', async () => {
  const page = await signedIn(env('KEY'), '/', { language: 'es-MX' });
  await page.getByRole('heading', { name: 'Inicio' }).waitFor();
  expect(await page.locator('html').getAttribute('lang')).toBe('es');
  await page.getByRole('button', { name: 'Clave de API' }).click();
  await page.getByRole('menuitemradio', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'Home' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Home' }).waitFor();
});

test('a tab that nobody uses is live and asks for nothing', async () => {
  const page = await signedIn(env('KEY'));
  await page.getByText('Live: connected').waitFor();
  await page.waitForTimeout(2_000);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.waitForTimeout(20_000);
  expect(asked).toEqual([]);
});

test('the first load is small and its files are kept', async () => {
  const page = await open();
  let bytes = 0;
  const kept: string[] = [];
  page.on('response', async (answer) => {
    const headers = await answer.allHeaders();
    bytes += Number(headers['content-length'] ?? 0);
    if (answer.url().includes('/assets/')) kept.push(headers['cache-control'] ?? '');
    if (answer.url().endsWith('.js')) expect(headers['content-encoding']).toBe('br');
  });
  await page.goto(at('/sign-in'), { waitUntil: 'networkidle' });
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(200_000);
  expect(kept.length).toBeGreaterThan(1);
  expect(new Set(kept)).toEqual(new Set(['public, max-age=31536000, immutable']));
});
