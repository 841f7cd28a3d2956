import { expect, test } from 'vitest';
import { forgetKey, keep, kept, keyOf } from './drafts';

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

test('a text that is sent again is the same request, until it was taken', () => {
  const first = keyOf('a', 'reply', 'Hello');
  expect(keyOf('a', 'reply', 'Hello')).toBe(first);
  expect(keyOf('a', 'reply', 'Hello!')).not.toBe(first);
  expect(keyOf('a', 'note', 'Hello')).not.toBe(first);
  const second = keyOf('a', 'reply', 'Hello');
  forgetKey('a', 'reply');
  expect(keyOf('a', 'reply', 'Hello')).not.toBe(second);
});
