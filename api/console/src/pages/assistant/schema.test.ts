import { expect, test } from 'vitest';
import { objectOf } from './schema';

test('an object of JSON is read, and nothing else is', () => {
  expect(objectOf('{"type":"object"}')).toEqual({ type: 'object' });
  for (const text of ['', '[]', 'null', '7', '{']) expect(objectOf(text)).toBeNull();
});
