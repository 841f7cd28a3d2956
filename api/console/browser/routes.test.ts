import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { api, at, demo, env, inbound, open, signedIn } from './world';

type Ids = { data: { id: string; to: string }[] };

/** A conversation with something in it. */
async function conversation(): Promise<string> {
  const { data } = await api<{ data: { number: string }[] }>('/v1/senders?limit=1');
  await inbound('+16465550149', data[0]?.number ?? '', 'Do you open on Sunday?');
  const found = async () => (await api<Ids>('/v1/conversations?q=6465550149')).data[0]?.id;
  await expect.poll(found, { timeout: 30_000 }).toBeTruthy();
  return (await found()) ?? '';
}

/** Every route, with something to show. */
async function routes(): Promise<[name: string, path: string][]> {
  const { id } = await demo();
  const copy = await api<{ id: string }>(`/v1/campaigns/${id}/clone`, {});
  const people = await api<Ids>('/v1/contacts?limit=1');
  const texts = await api<Ids>('/v1/templates?limit=1');
  const blocked = await api<Ids>(`/v1/messages?campaign=${id}&status=blocked&limit=1`);
  return [
    ['home', '/'],
    ['inbox', `/inbox?id=${await conversation()}`],
    ['quarantined', '/inbox?tab=quarantined'],
    ['campaigns', '/campaigns'],
    ['campaign', `/campaigns/${id}?state=failed`],
    ['builder', '/campaigns/new'],
    ['compare', `/campaigns/compare?ids=${id},${copy.id}`],
    ['contacts', '/contacts'],
    ['contact', `/contacts/${people.data[0]?.id}`],
    ['import', '/contacts/import'],
    ['templates', '/templates'],
    ['carrier templates', '/templates?tab=carriers'],
    ['template', `/templates/${texts.data[0]?.id}`],
    ['messages', '/messages?status=failed'],
    ['why', `/why?of=${blocked.data[0]?.id}`],
    ['senders', '/senders'],
    ['pools', '/senders?tab=pools'],
    ['numbers', '/senders?tab=numbers'],
    ['do-not-contact', '/compliance'],
    ['reviews', '/compliance?tab=reviews'],
    ['suppressions', '/compliance?tab=suppressions'],
    ['quiet hours', '/compliance?tab=hours'],
    ['policy', '/compliance?tab=policy'],
    ['audit', '/compliance?tab=audit'],
    ['budgets', '/budgets'],
    ['operations', '/operations'],
    ['in doubt', '/operations?tab=doubts'],
    ['unmatched receipts', '/operations?tab=unmatched'],
    ['conflicts', '/operations?tab=conflicts'],
    ['settings', '/settings'],
    ['people', '/settings?tab=people'],
    ['keys', '/settings?tab=keys'],
    ['event consumers', '/settings?tab=consumers'],
    ['brands', '/settings?tab=brands'],
    ['inboxes', '/settings?tab=inboxes'],
    ['canned answers', '/settings?tab=canned'],
    ['assistant', '/settings?tab=assistant'],
    ['rates', '/settings?tab=rates'],
    ['accounts', '/settings?tab=accounts'],
  ];
}

/** The pictures that are committed, where SHOTS names a folder for them: of every page, and of the
 *  parts of pages that look like nothing else. */
const SHOTS = process.env.SHOTS;
const SHOWN = [
  'home',
  'inbox',
  'campaigns',
  'campaign',
  'builder',
  'compare',
  'contacts',
  'contact',
  'import',
  'templates',
  'carrier-templates',
  'template',
  'messages',
  'why',
  'senders',
  'numbers',
  'do-not-contact',
  'quiet-hours',
  'policy',
  'audit',
  'budgets',
  'operations',
  'settings',
  'assistant',
  'sign-in',
];

type Found = { routes: number; light: string[]; dark: string[]; wide: string[] };

/** What is wrong with every route in each theme and on a phone; each is opened once for all three. */
async function walk(): Promise<Found> {
  const found: Found = { routes: 0, light: [], dark: [], wide: [] };
  const door = await open({ scale: SHOTS ? 0.5 : 1 });
  for (const name of ['sign-in', 'sign-up', 'reset', 'join', 'link']) {
    await door.goto(at(`/${name}`));
    await look(door, name, found);
  }
  await door.context().close();

  const page = await signedIn(env('KEY'), '/', { scale: SHOTS ? 0.5 : 1 });
  for (const [name, path] of await routes()) {
    await page.goto(at(path));
    await look(page, name, found);
  }
  return found;
}

async function look(page: Page, name: string, found: Found) {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.getByText('Loading').first().waitFor({ state: 'detached' });
  await page.getByText('Asking').first().waitFor({ state: 'detached' });
  found.routes += 1;
  found.light.push(...(await faults(new AxeBuilder({ page }), name)));
  await picture(page, name, 'light');

  // Of what axe looks at, colours alone depend on the theme.
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.locator('html[data-theme=dark]').waitFor();
  found.dark.push(...(await faults(new AxeBuilder({ page }).withRules('color-contrast'), name)));
  await picture(page, name, 'dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.locator('html[data-theme=light]').waitFor();

  const size = page.viewportSize() ?? { width: 1280, height: 800 };
  await page.setViewportSize({ width: 390, height: 844 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (width > 390) found.wide.push(`${name}: ${width}`);
  await picture(page, name, '390');
  await page.setViewportSize(size);
}

async function faults(axe: AxeBuilder, name: string): Promise<string[]> {
  const { violations } = await axe.analyze();
  return violations.map((one) => `${name}: ${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`);
}

async function picture(page: Page, of: string, kind: 'light' | 'dark' | '390') {
  const name = of.replaceAll(' ', '-');
  if (!SHOTS || !SHOWN.includes(name)) return;
  await page.waitForTimeout(400);
  await page.screenshot({ path: `${SHOTS}/${name}-${kind}.png` });
}

test(
  'axe finds nothing on any route in either theme, and each fits a phone',
  { timeout: 300_000 },
  async () => {
    const found = await walk();
    expect(found.routes).toBeGreaterThan(30);
    expect(found).toEqual({ routes: found.routes, light: [], dark: [], wide: [] });
  },
);
