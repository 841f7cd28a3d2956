import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { api, demo, env, open, at, signedIn } from './world';

type Ids = { data: { id: string; to: string }[] };

/** Every route, with something to show. */
async function routes(): Promise<[name: string, path: string][]> {
  const { id } = await demo();
  const people = await api<Ids>('/v1/contacts?limit=1');
  const texts = await api<Ids>('/v1/templates?limit=1');
  const blocked = await api<Ids>(`/v1/messages?campaign=${id}&status=blocked&limit=1`);
  return [
    ['home', '/'],
    ['campaigns', '/campaigns'],
    ['campaign', `/campaigns/${id}?state=failed`],
    ['builder', '/campaigns/new'],
    ['contacts', '/contacts'],
    ['contact', `/contacts/${people.data[0]?.id}`],
    ['import', '/contacts/import'],
    ['templates', '/templates'],
    ['template', `/templates/${texts.data[0]?.id}`],
    ['why', `/why?of=${blocked.data[0]?.id}`],
    ['senders', '/senders'],
    ['pools', '/senders?tab=pools'],
    ['do-not-contact', '/compliance'],
    ['reviews', '/compliance?tab=reviews'],
    ['suppressions', '/compliance?tab=suppressions'],
    ['policy', '/compliance?tab=policy'],
    ['audit', '/compliance?tab=audit'],
    ['budgets', '/budgets'],
    ['settings', '/settings'],
    ['people', '/settings?tab=people'],
    ['keys', '/settings?tab=keys'],
    ['brands', '/settings?tab=brands'],
    ['inboxes', '/settings?tab=inboxes'],
    ['accounts', '/settings?tab=accounts'],
  ];
}

/** The pictures that are committed, where SHOTS names a folder for them. */
const SHOTS = process.env.SHOTS;
const SHOWN = ['home', 'campaign', 'contacts', 'template', 'why', 'policy'];
const SHOWN_TOO = ['home', 'campaign'];

for (const theme of ['light', 'dark'] as const) {
  test(`axe finds nothing on any route in the ${theme} theme`, { timeout: 300_000 }, async () => {
    const found: string[] = [];
    const door = await open({ theme });
    for (const name of ['sign-in', 'sign-up', 'reset', 'join', 'link']) {
      await door.goto(at(`/${name}`));
      await door.getByRole('heading', { level: 1 }).waitFor();
      found.push(...(await faults(door, name)));
    }
    await door.context().close();

    const all = await routes();
    const page = await signedIn(env('KEY'), '/', { theme, scale: SHOTS ? 0.75 : 1 });
    for (const [name, path] of all) {
      await page.goto(at(path));
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByText('Loading').first().waitFor({ state: 'detached' });
      found.push(...(await faults(page, name)));
      const wanted = (theme === 'light' ? SHOWN : SHOWN_TOO).includes(name);
      if (SHOTS && wanted) {
        await page.waitForTimeout(700);
        await page.screenshot({ path: `${SHOTS}/${name}-${theme}.png` });
      }
    }
    expect(all.length).toBeGreaterThan(20);
    expect(found).toEqual([]);
  });
}

async function faults(page: Page, name: string): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map((one) => `${name}: ${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`);
}

test('every route fits a phone of 390 pixels', { timeout: 180_000 }, async () => {
  const page = await signedIn(env('KEY'), '/', { width: 390 });
  const wide: string[] = [];
  for (const [name, path] of await routes()) {
    await page.goto(at(path));
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByText('Loading').first().waitFor({ state: 'detached' });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > 390) wide.push(`${name}: ${width}`);
    if (SHOTS && SHOWN_TOO.includes(name)) {
      await page.waitForTimeout(700);
      await page.screenshot({ path: `${SHOTS}/${name}-390.png` });
    }
  }
  expect(wide).toEqual([]);
});
