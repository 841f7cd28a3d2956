/** What is written: an answer to the contact, or a note for those who work here. */
export type Mode = 'reply' | 'note';

export type Texts = Record<Mode, string>;

/** The most conversations whose beginnings are kept; the oldest of them is forgotten first. */
const MOST = 100;

const texts = new Map<string, Texts>();
const NONE: Texts = { reply: '', note: '' };

/** What was begun in a conversation since the page was loaded. */
export const kept = (id: string): Texts => texts.get(id) ?? NONE;

/** Keeps what was begun, and gives it. */
export function keep(id: string, mode: Mode, text: string): Texts {
  const next = { ...kept(id), [mode]: text };
  texts.delete(id);
  if (next.reply || next.note) texts.set(id, next);
  const oldest = texts.keys().next().value;
  if (texts.size > MOST && oldest !== undefined) texts.delete(oldest);
  return next;
}

const keys = new Map<string, { body: string; key: string }>();

/** Names the sending of a text: the same text has the same name until it has been taken. */
export function keyOf(id: string, mode: Mode, body: string): string {
  const of = `${mode} ${id}`;
  const known = keys.get(of);
  if (known?.body === body) return known.key;
  const key = crypto.getRandomValues(new Uint32Array(4)).join('-');
  keys.delete(of);
  keys.set(of, { body, key });
  const oldest = keys.keys().next().value;
  if (keys.size > MOST && oldest !== undefined) keys.delete(oldest);
  return key;
}

/** A text has been taken: the next one is another, though it may say the same. */
export const forgetKey = (id: string, mode: Mode) => void keys.delete(`${mode} ${id}`);
