import { expect, test } from 'vitest';
import { moves, rowsOf, withNewest, type Entry, type Line, type Pages } from './rows';

const entry = (id: string, at: string, status: string | null = null) => ({ id, at, status }) as Entry;
const line = (id: string, at: string) => ({ id, at }) as Line;
const pages = (...lists: Entry[][]): Pages => ({
  pages: lists.map((data, index) => ({ data, next_cursor: index === lists.length - 1 ? null : 'on' })),
  pageParams: lists.map((_, index) => (index === 0 ? undefined : 'on')),
});
const ids = (known: Pages) => known.pages.map((page) => page.data.map((one) => one.id));

test('rows go from old to new, under the name of each day', () => {
  const found = rowsOf([entry('b', '2026-05-02T12:00:00Z'), entry('a', '2026-05-01T12:00:00Z')], [], true);
  expect(found.map((row) => [row.kind, row.at])).toEqual([
    ['day', '2026-05-01T12:00:00Z'],
    ['entry', '2026-05-01T12:00:00Z'],
    ['day', '2026-05-02T12:00:00Z'],
    ['entry', '2026-05-02T12:00:00Z'],
  ]);
});

test('consent stands among the texts, and none before what has been read', () => {
  const ledger = [line('new', '2026-05-01T13:00:00Z'), line('old', '2026-04-01T12:00:00Z')];
  const entries = [entry('b', '2026-05-01T14:00:00Z'), entry('a', '2026-05-01T12:00:00Z')];
  const keys = (isWhole: boolean) =>
    rowsOf(entries, ledger, isWhole)
      .filter((row) => row.kind !== 'day')
      .map((row) => row.key);
  expect(keys(false)).toEqual(['a', 'new', 'b']);
  expect(keys(true)).toEqual(['old', 'a', 'new', 'b']);
});

test('what came is put before what was known, which takes its new state', () => {
  const known = pages([entry('2', '2026-05-01T12:02:00Z', 'sent')], [entry('1', '2026-05-01T12:01:00Z')]);
  const newest = {
    data: [entry('3', '2026-05-01T12:03:00Z'), entry('2', '2026-05-01T12:02:00Z', 'delivered')],
    next_cursor: 'more',
  };
  const next = withNewest(known, newest);
  expect(ids(next)).toEqual([['3', '2'], ['1']]);
  expect(next.pages[0]?.data[1]?.status).toBe('delivered');
  expect(next.pages[0]?.next_cursor).toBe('on');
});

test('a thread whose newest page does not meet what was known begins anew', () => {
  const known = pages([entry('1', '2026-05-01T12:01:00Z')]);
  const newest = { data: [entry('9', '2026-05-09T12:00:00Z')], next_cursor: 'more' };
  expect(ids(withNewest(known, newest))).toEqual([['9']]);
  expect(ids(withNewest(known, { ...newest, next_cursor: null }))).toEqual([['9', '1']]);
});

test('a message that is on its way moves, and one that has come does not', () => {
  expect(moves([entry('1', '', 'delivered'), entry('2', '', 'queued')])).toBe(true);
  expect(moves([entry('1', '', 'delivered'), entry('2', '')])).toBe(false);
});
