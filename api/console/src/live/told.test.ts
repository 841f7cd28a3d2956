import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pace } from './told';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the first is told at once, and those that follow it once', () => {
  const run = vi.fn();
  const paced = pace(run, 1000);
  paced.call();
  paced.call();
  paced.call();
  expect(run).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1000);
  expect(run).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(5000);
  expect(run).toHaveBeenCalledTimes(2);
});

test('whoever left is told nothing more', () => {
  const run = vi.fn();
  const paced = pace(run, 1000);
  paced.call();
  paced.call();
  paced.stop();
  vi.advanceTimersByTime(5000);
  expect(run).toHaveBeenCalledTimes(1);
});
