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
