import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { api, at, env, signedIn } from './world';

const PEOPLE = 2000;
const AREAS = [
  201, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229,
];

/** A file of people, of whom two lines cannot be read as numbers. */
function file(tag: string): Buffer {
  const lines = ['Mobile,First name,Tags,Plan'];
  for (let i = 0; i < PEOPLE; i += 1) {
    const number = `+1${AREAS[i % AREAS.length]}55501${String(Math.floor(i / AREAS.length)).padStart(2, '0')}`;
    lines.push(`${i < 2 ? 'no number' : number},Person ${i},${tag},gold`);
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}

test(
  '2,000 people are imported, and a campaign to them is built, simulated, started and watched',
  { timeout: 240_000 },
  async () => {
    const tag = `t${Date.now()}`;
    const page = await signedIn(env('KEY'), '/contacts/import');
    const upload = { name: 'people.csv', mimeType: 'text/csv', buffer: file(tag) };
    await page.locator('input[type=file]').setInputFiles(upload);
    await page.getByLabel('Plan').selectOption('attributes.plan');
    await page.getByText('Line 2').waitFor();
    await page.getByRole('button', { name: 'Import 2,000 lines' }).click();
    await page.getByText('2,000 lines are done').waitFor({ timeout: 60_000 });
    const [lines] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Lines that are not in' }).click(),
    ]);
    const told = readFileSync(await lines.path(), 'utf8')
      .trim()
      .split('\r\n');
    expect(told.length).toBe(3);
    expect(told[1]).toMatch(/^"2","invalid","./);

    await page.goto(at('/templates/new'));
    await page.getByLabel('Name').fill(`Order ${tag}`);
    await page.getByLabel('Text (en)').fill('Hi {first_name|there}, your order has shipped 🎉');
    await page.getByText('makes every segment shorter').waitFor();
    await page.getByLabel('Text (en)').fill('Hi {first_name|there}, your order has shipped');
    await page.getByText('GSM-7').waitFor();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Version 1 is saved').waitFor();

    await page.goto(at('/campaigns/new'));
    await page.getByLabel('Campaign').fill(`Shipped ${tag}`);
    await page.getByLabel('People with all of these tags').fill(tag);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByLabel('Template').selectOption({ label: `Order ${tag}` });
    await page.getByLabel('Class').selectOption('transactional');
    await page.getByText('your order has shipped').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByLabel('Pool').selectOption({ label: 'demo' });
    await page.getByRole('button', { name: 'Save and check' }).click();
    await page.getByTestId('simulation').waitFor();
    await page.getByRole('button', { name: /^Start: [\d,]+ people, \$\d/ }).click();

    // It is watched without a reload: the figures come by the live connection alone.
    await page.getByTestId('funnel').getByText('Delivered').waitFor({ timeout: 60_000 });
    await page.getByText('Every message of it is final').waitFor({ timeout: 110_000 });
    const id = page.url().split('/').at(-1)?.split('?')[0];
    const { totals } = await api<{ totals: Record<string, number> }>(`/v1/analytics/campaigns/${id}`);
    const shown = await page.getByTestId('funnel').innerText();
    expect(shown).toContain((totals.delivered ?? 0).toLocaleString('en'));
  },
);

test('a campaign that is paused waits, and undo lets it go on', async () => {
  const pools = await api<{ data: { id: string }[] }>('/v1/pools');
  const templates = await api<{ data: { id: string }[] }>('/v1/templates');
  const draft = {
    name: `Paused ${Date.now()}`,
    class: 'promo',
    audience: { tags: ['demo'] },
    template_id: templates.data.at(-1)?.id,
    pool_id: pools.data[0]?.id,
  };
  const { id } = await api<{ id: string }>('/v1/campaigns', draft);
  const page = await signedIn(env('KEY'), `/campaigns/${id}`);
  await page.getByTestId('simulation').getByText('Suppression').waitFor();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('It is paused.').first().waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  const dialog = page.getByRole('dialog');
  expect(await dialog.getByRole('button', { name: 'Stop' }).isDisabled()).toBe(true);
  await dialog.getByRole('textbox').fill(draft.name);
  await dialog.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('It was stopped for good.').waitFor();
});
