import type { InfiniteData } from '@tanstack/react-query';
import type { Schemas } from '../../api/client';

export type Entry = Schemas['ConversationEntry'];
export type Line = Schemas['ConsentLine'];
export type Pages = InfiniteData<{ data: Entry[]; next_cursor: string | null }, string | undefined>;

/** One row of the thread: a day, what stands in the conversation, or a change of consent. */
export type Row =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'entry'; key: string; at: string; entry: Entry }
  | { kind: 'consent'; key: string; at: string; line: Line };

/** The day of an instant in the reader's zone. */
const dayOf = (at: string) => new Date(at).toDateString();

/**
 * The rows of a thread, the oldest first, each day under its name. Of the ledger of consent it
 * takes what is no older than the oldest entry, since more may stand before that.
 */
export function rowsOf(entries: Entry[], ledger: Line[], isWhole: boolean): Row[] {
  const oldest = entries.at(-1)?.at;
  const known = ledger.filter((line) => isWhole || (oldest !== undefined && line.at >= oldest));
  const things: Row[] = [
    ...known.map((line): Row => ({ kind: 'consent', key: line.id, at: line.at, line })),
    ...entries.map((entry): Row => ({ kind: 'entry', key: entry.id, at: entry.at, entry })).reverse(),
  ];
  const times = new Map(things.map((thing) => [thing, Date.parse(thing.at)]));
  things.sort((a, b) => (times.get(a) ?? 0) - (times.get(b) ?? 0));

  const rows: Row[] = [];
  let day = '';
  for (const thing of things) {
    const its = dayOf(thing.at);
    if (its !== day) rows.push({ kind: 'day', key: its, at: thing.at });
    day = its;
    rows.push(thing);
  }
  return rows;
}

/**
 * What is known of a thread, with its newest page read again. What was known takes the new state;
 * where more came than a page holds, the thread begins anew.
 */
export function withNewest(known: Pages, newest: Pages['pages'][number]): Pages {
  const fresh = new Map(newest.data.map((entry) => [entry.id, entry]));
  const old = new Set(known.pages.flatMap((page) => page.data.map((entry) => entry.id)));
  const meets = newest.next_cursor === null || newest.data.some((entry) => old.has(entry.id));
  if (!meets) return { pages: [newest], pageParams: [undefined] };

  const came = newest.data.filter((entry) => !old.has(entry.id));
  const pages = known.pages.map((page, index) => {
    const data = page.data.map((entry) => fresh.get(entry.id) ?? entry);
    return { ...page, data: index === 0 ? inOrder([...came, ...data]) : data };
  });
  return { ...known, pages };
}

/** The newest first, as the api has it. */
const inOrder = (entries: Entry[]) =>
  entries.sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || (a.id < b.id ? 1 : -1));

const MOVES = new Set(['accepted', 'queued', 'sent', 'in_doubt']);

/** Whether the state of a message in sight is about to change. */
export const moves = (entries: Entry[]) => entries.some((entry) => entry.status && MOVES.has(entry.status));
