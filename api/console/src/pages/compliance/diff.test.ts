import { expect, test } from 'vitest';
import { differences } from './diff';

test('rules that differ are named with what they were and are', () => {
  const before = {
    suppression_days: 90,
    quiet_hours: { window: 'us', spread_seconds: 5 },
    warmup: [50, 100],
  };
  const after = { suppression_days: 30, quiet_hours: { window: 'us', spread_seconds: 5 }, warmup: [50] };
  expect(differences(before, after)).toEqual([
    { rule: 'suppression_days', from: '90', to: '30' },
    { rule: 'warmup', from: '[50,100]', to: '[50]' },
  ]);
});

test('a rule that only one of them has is a difference, and equal ones are none', () => {
  expect(differences({ a: 'x' }, { a: 'x', b: { c: true } })).toEqual([
    { rule: 'b.c', from: '–', to: 'true' },
  ]);
  expect(differences({ a: 1 }, { a: 1 })).toEqual([]);
});
