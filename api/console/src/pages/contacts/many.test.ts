import { expect, test } from 'vitest';
import { chunks } from './many';

test('every row is in one part, in order, and no part is longer than it may be', () => {
  const all = Array.from({ length: 401 }, (_, i) => i);
  const parts = chunks(all, 200);
  expect(parts.map((part) => part.length)).toEqual([200, 200, 1]);
  expect(parts.flat()).toEqual(all);
  expect(chunks([], 200)).toEqual([]);
});
