import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

/** What `scripts/test-console` sets. */
export const env = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run scripts/test-console`);
  return value;
};

export const base = env('API');
export const at = (path: string) => `${base}/console${path}`;

let browser: Browser;
let context: BrowserContext | undefined;

/** What went wrong in the page itself, or left this host. Every test ends with none. */
let wrong: string[] = [];

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: env('CHROMIUM'), args: ['--no-sandbox'] });
});

afterEach(async () => {
  await context?.close();
  context = undefined;
  const seen = wrong;
  wrong = [];
  expect(seen).toEqual([]);
});

afterAll(() => browser.close());

type Look = { theme?: 'light' | 'dark'; width?: number; scale?: number; language?: string };

/** A page in a browser of its own. */
export async function open({ theme = 'light', width = 1280, scale = 1, language = 'en' }: Look = {}) {
  context = await browser.newContext({
    colorScheme: theme,
    locale: language,
    deviceScaleFactor: scale,
    viewport: { width, height: width < 600 ? 844 : 800 },
    reducedMotion: 'reduce',
    timezoneId: 'America/New_York',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (/Content Security Policy|Minified React error/.test(message.text())) wrong.push(message.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    if (/^https?:/.test(url) && !url.startsWith(base)) wrong.push(`asks another host: ${url}`);
  });
  return page;
}

/** A page of somebody who has signed in with this key. */
export async function signedIn(key: string, path = '/', look: Look = {}): Promise<Page> {
  const page = await open(look);
  await page.addInitScript((value) => {
    sessionStorage.setItem('millrace.key', value);
  }, key);
  await page.goto(at(path));
  await page.getByRole('heading', { level: 1 }).waitFor();
  return page;
}

/** What the api answers to the demo's key, or to another one; to nobody's where it is empty. */
export async function api<T>(
  path: string,
  body?: unknown,
  method = body ? 'POST' : 'GET',
  key = env('KEY'),
): Promise<T> {
  const headers = new Headers({ 'content-type': 'application/json' });
  if (key) headers.set('authorization', `Bearer ${key}`);
  const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
  const answer = await fetch(base + path, init);
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

type Named = { id: string; name: string; state: string };

/** The campaign that the demo has run. */
export async function demo(): Promise<Named> {
  const { data } = await api<{ data: Named[] }>('/v1/campaigns');
  const found = data.find((one) => one.name === 'Spring sale');
  if (!found) throw new Error('the demo has run no campaign');
  return found;
}

/** What is found in what the sandbox shows, as soon as it is there: the newest of it. */
async function shown(path: string, wanted: RegExp, newest: 'first' | 'last'): Promise<string> {
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    const text = await (await fetch(env('SANDBOX') + path)).text();
    const found = [...text.matchAll(new RegExp(wanted, 'g'))];
    const one = (newest === 'first' ? found[0] : found.at(-1))?.[1];
    if (one) return one;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`${wanted} never came`);
}

/** What was mailed to somebody. */
export const mailed = async (to: string, wanted: RegExp) =>
  (await shown(`/sandbox/mail?to=${encodeURIComponent(to)}`, wanted, 'first')).replace(/\\.*/, '');

/** What was texted. */
export const texted = (wanted: RegExp) => shown('/sandbox/ledger', wanted, 'last');

/** Has somebody text a number of ours. */
export async function inbound(from: string, to: string, body: string) {
  const answer = await fetch(`${env('SANDBOX')}/sandbox/inbound`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ from, to, body }),
  });
  if (!answer.ok) throw new Error(`the sandbox: ${answer.status} ${await answer.text()}`);
}

/** Goes on by Tab until the focus is on what is called so, as somebody does who has no mouse. */
export async function tabTo(page: Page, name: RegExp) {
  const focused = () =>
    page.evaluate(() => {
      const on = document.activeElement as HTMLInputElement | null;
      return on?.labels?.[0]?.textContent ?? on?.getAttribute('aria-label') ?? on?.textContent ?? '';
    });
  for (let step = 0; step < 60; step += 1) {
    if (name.test((await focused()).trim())) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${name} is not reached by Tab`);
}
