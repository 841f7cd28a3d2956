import { expect, test } from 'vitest';
import { keep, kept } from './drafts';

test('what was begun is there when somebody comes back, each on its own', () => {
  keep('a', 'reply', 'Hello');
  keep('a', 'note', 'vip');
  keep('b', 'reply', 'Hi');
  expect(kept('a')).toEqual({ reply: 'Hello', note: 'vip' });
  keep('a', 'reply', '');
  expect(kept('a')).toEqual({ reply: '', note: 'vip' });
});

test('of more than a hundred the oldest is forgotten', () => {
  for (let i = 0; i <= 100; i += 1) keep(`c${i}`, 'reply', 'text');
  expect(kept('c0').reply).toBe('');
  expect(kept('c1').reply).toBe('text');
});
