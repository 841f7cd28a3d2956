import { expect, test } from 'vitest';
import { patience, take } from './parse';

test('whole events are taken and a beginning is left', () => {
  const { events, rest } = take('id: a-1\nevent: totals\ndata: {"x":1}\n\n:\n\nid: a-2\nev');
  expect(events).toEqual([{ id: 'a-1', name: 'totals', data: '{"x":1}' }]);
  expect(rest).toBe('id: a-2\nev');
});

test('data of several lines is one text, and what has none is no event', () => {
  expect(take('data: a\ndata: b\n\nid: 7\n\n').events).toEqual([{ id: '', name: 'message', data: 'a\nb' }]);
});

test('the wait grows and has an end', () => {
  expect([0, 1, 2, 50].map(patience)).toEqual([500, 1000, 2000, 30_000]);
});
