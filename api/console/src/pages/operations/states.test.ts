import { expect, test } from 'vitest';
import { causesOf } from './states';

test('the causes of a state are its own, and what nothing stands for is left out', () => {
  const totals = {
    deferred: 7,
    'deferred.rate': 2,
    'deferred.quiet_hours': 5,
    'held.budget': 3,
    'deferred.dnc': 0,
  };
  expect(causesOf(totals, 'deferred')).toEqual([
    { name: 'quiet_hours', count: 5 },
    { name: 'rate', count: 2 },
  ]);
  expect(causesOf(totals, 'queued')).toEqual([]);
});
