import { expect, test } from 'vitest';
import { initials, left, snoozes, span } from './times';

const at = (name: string, now: Date) => snoozes(now).find(([key]) => key === name)?.[1];

test('tomorrow is the next morning, also at the end of a month', () => {
  expect(at('inbox.snooze.tomorrow', new Date(2026, 4, 31, 22))).toEqual(new Date(2026, 5, 1, 9));
});

test('monday is the next one, on a monday too', () => {
  const monday = new Date(2026, 5, 8, 9);
  expect(at('inbox.snooze.monday', new Date(2026, 5, 1, 12))).toEqual(monday);
  expect(at('inbox.snooze.monday', new Date(2026, 5, 7, 12))).toEqual(monday);
  expect(at('inbox.snooze.monday', new Date(2026, 5, 2, 12))).toEqual(monday);
});

test('the ring runs from whole to nothing and no further', () => {
  expect([200_000, 43_200, 0, -1].map(left)).toEqual([1, 0.5, 0, 0]);
});

test('what is left is said in hours and minutes', () => {
  expect([86_399, 3_600, 59].map(span)).toEqual(['23:59', '1:00', '0:00']);
});

test('a person is two letters', () => {
  expect([initials('Ana María de la Cruz'), initials('émile'), initials(' ')]).toEqual(['AM', 'É', '']);
});
