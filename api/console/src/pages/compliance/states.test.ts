import { expect, test } from 'vitest';
import { each, TILES } from './states';

test('every state and the capital has one tile, and no two share a place', () => {
  expect(TILES.length).toBe(51);
  expect(new Set(TILES.map((one) => one.code)).size).toBe(51);
  expect(new Set(TILES.map((one) => `${one.row} ${one.column}`)).size).toBe(51);
});

test('a few are worked on at a time, and the results stand in the order of what was given', async () => {
  let now = 0;
  let most = 0;
  const doubled = await each([5, 1, 4, 2, 3], 2, async (one) => {
    most = Math.max(most, ++now);
    for (let turn = 0; turn < one; turn += 1) await Promise.resolve();
    now -= 1;
    return one * 2;
  });
  expect(doubled).toEqual([10, 2, 8, 4, 6]);
  expect(most).toBe(2);
});
