import { expect, test } from 'vitest';
import { api, at, env, inbound, signedIn } from './world';

type Rows<T> = { data: T[] };
type Conversation = { id: string; owner: string; unread: number; status: string };
type Entry = { kind: string; body: string | null; writer: string | null; status: string | null };

const one = (id: string) => api<Conversation>(`/v1/conversations/${id}`);
const entries = async (id: string) =>
  (await api<Rows<Entry>>(`/v1/conversations/${id}/messages?limit=100`)).data;

/** Has somebody write to the demo's pool; the conversation that it opens. */
async function conversation(from: string, body: string): Promise<string> {
  const { data } = await api<Rows<{ number: string }>>('/v1/senders?limit=1');
  await inbound(from, data[0]?.number ?? '', body);
  const found = async () => (await api<Rows<Conversation>>(`/v1/conversations?q=${from.slice(1)}`)).data[0];
  await expect.poll(async () => (await found())?.id, { timeout: 30_000 }).toBeTruthy();
  return (await found())?.id ?? '';
}

/** Gives a conversation to the assistant, once that has seen its first text. */
async function toAssistant(id: string) {
  await api(`/v1/conversations/${id}/take-over`, {});
  await api(`/v1/conversations/${id}/hand-back`, {});
}

test('a conversation is taken over from the assistant, answered, and handed back', async () => {
  const id = await conversation('+16465550151', 'When does order 1042 come?');
  await toAssistant(id);
  const page = await signedIn(env('KEY'), '/inbox');
  await page.getByLabel('Name, number or last text').fill('6465550151');
  await page.waitForURL(/q=/);
  await page.getByRole('link', { name: /6465550151/ }).click();
  const bar = page.getByText('The assistant answers.', { exact: false });
  await bar.waitFor();

  await page.keyboard.press('t');
  await page.getByText('A person answers').waitFor();
  await bar.waitFor({ state: 'detached' });
  expect((await one(id)).owner).toBe('person');

  // What it comes to stands below it before it is sent.
  await page.keyboard.press('r');
  await page.keyboard.type('It comes on Friday.');
  await page.getByText(/1 segments, GSM-7, \$\d/).waitFor();
  await page.keyboard.press('Control+Enter');
  const thread = page.getByRole('log');
  await thread.getByText('It comes on Friday.').waitFor();
  await thread.getByText('Delivered').last().waitFor();
  const sent = (await entries(id)).find((entry) => entry.body === 'It comes on Friday.');
  expect([sent?.kind, sent?.writer]).toEqual(['out', 'person']);

  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Hand back to the assistant' }).click();
  await bar.waitFor();
  expect((await one(id)).owner).toBe('assistant');
});

test('a text shows while somebody looks, and is read', async () => {
  const from = '+16465550152';
  const id = await conversation(from, 'Hello?');
  await api(`/v1/conversations/${id}/take-over`, {});
  const page = await signedIn(env('KEY'), `/inbox?id=${id}`);
  const thread = page.getByRole('log');
  await thread.getByText('Hello?').waitFor();
  await page.getByText('Live: connected').waitFor();
  await conversation(from, 'Is anybody there?');
  await thread.getByText('Is anybody there?').waitFor();
  await expect.poll(async () => (await one(id)).unread, { timeout: 30_000 }).toBe(0);
});

test('an answer at hand is filled in, and what it lacks is asked for', async () => {
  const id = await conversation('+16465550153', 'Where is it?');
  const name = `On its way ${Date.now()}`;
  await api('/v1/canned-answers', { name, body: 'Hi {first_name|there}, order {order} is on its way.' });
  const page = await signedIn(env('KEY'), `/inbox?id=${id}`);
  const box = page.getByRole('textbox', { name: 'Reply' });
  await box.fill(`/${name}`);
  await page.getByRole('option', { name: new RegExp(name) }).waitFor();
  await box.press('Enter');
  await page.getByRole('dialog').getByLabel('order').fill('1042');
  await page.getByRole('dialog').getByRole('button', { name: 'Put it in' }).click();
  await expect.poll(() => box.inputValue()).toBe('Hi there, order 1042 is on its way.');
});

test('a note is kept from the contact, and closing is undone', async () => {
  const id = await conversation('+16465550154', 'Call me');
  const page = await signedIn(env('KEY'), `/inbox?id=${id}`);
  const thread = page.getByRole('log');
  await thread.getByText('Call me').waitFor();
  await page.keyboard.press('n');
  await page.keyboard.type('Wants a call on Monday.');
  await page.keyboard.press('Control+Enter');
  await thread.getByText('Wants a call on Monday.').waitFor();
  const note = (await entries(id)).find((entry) => entry.body === 'Wants a call on Monday.');
  expect(note?.kind).toBe('note');

  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(async () => (await one(id)).status, { timeout: 30_000 }).toBe('open');
});

const LONG = 10_000;

test(`a thread of ${LONG} messages is open within 300 ms`, { timeout: 600_000 }, async () => {
  const from = '+16465550157';
  const id = await conversation(from, 'The first of many.');
  await api(`/v1/conversations/${id}/take-over`, {});
  const { data } = await api<Rows<{ number: string }>>('/v1/senders?limit=1');
  const number = data[0]?.number ?? '';
  let next = 1;
  const write = async () => {
    while (next < LONG) await inbound(from, number, `Text number ${++next}.`);
  };
  await Promise.all(Array.from({ length: 16 }, write));
  const unread = async () => (await one(id)).unread;
  await expect.poll(unread, { timeout: 300_000, interval: 1_000 }).toBeGreaterThanOrEqual(LONG);

  const page = await signedIn(env('KEY'), '/inbox?q=6465550157');
  const link = page.getByRole('link', { name: /6465550157/ });
  await link.waitFor();
  const took = await link.evaluate(async (row: HTMLElement) => {
    const began = performance.now();
    row.click();
    const isOpen = () => /Text number \d+\./.test(document.querySelector('[role=log]')?.textContent ?? '');
    while (!isOpen() && performance.now() - began < 10_000) await new Promise(requestAnimationFrame);
    return performance.now() - began;
  });
  expect(took).toBeLessThan(300);

  // The past is read as somebody scrolls, and never more of it drawn than is in sight.
  const thread = page.getByRole('log');
  for (let up = 0; up < 10; up += 1) {
    await thread.evaluate((frame) => frame.scrollTo(0, 0));
    await page.waitForTimeout(150);
  }
  expect(await thread.locator('[data-index]').count()).toBeLessThan(100);
});

test('J and K go through the list, and filters stand in the address', async () => {
  await conversation('+16465550155', 'One');
  await conversation('+16465550156', 'Two');
  const page = await signedIn(env('KEY'), '/inbox');
  await page.getByLabel('State').selectOption('all');
  await page.waitForURL(/status=all/);
  const open = page.getByRole('region', { name: 'Conversations in the list' }).locator('a[aria-current]');
  await page.getByRole('link', { name: /6465550155/ }).waitFor();
  await page.keyboard.press('j');
  const first = await open.getAttribute('href');
  await page.keyboard.press('j');
  await expect.poll(() => open.getAttribute('href')).not.toBe(first);
  await page.keyboard.press('k');
  await expect.poll(() => open.getAttribute('href')).toBe(first);
  await page.goto(at('/inbox?tab=quarantined'));
  await page.getByText('none of your senders').first().waitFor();
});
