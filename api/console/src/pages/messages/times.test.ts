import { expect, test } from 'vitest';
import { fieldOf, instantOf } from './times';

test('what a field is filled with is the instant that it gives back', () => {
  for (const at of ['2026-01-15T09:30:00.000Z', '2026-07-15T21:05:00.000Z']) {
    expect(instantOf(fieldOf(at))).toBe(at);
  }
});

test('nothing, and what is no instant, leave the field empty', () => {
  expect(fieldOf(undefined)).toBe('');
  expect(fieldOf('soon')).toBe('');
  expect(instantOf('')).toBeUndefined();
});
