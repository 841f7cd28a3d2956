import { expect, test } from 'vitest';
import { matching, wanted, type Answer } from './offers';

const answer = (name: string, body = '') => ({ id: name, name, body }) as Answer;

test('a text that begins with a slash looks for an answer', () => {
  expect([wanted('/Ship'), wanted('/'), wanted('and/or'), wanted('')]).toEqual(['ship', '', null, null]);
  expect(wanted('/path is\nnot one')).toBeNull();
});

test('names that begin with it come first, then names, then texts', () => {
  const answers = [answer('Hours', 'until six'), answer('Not shipped'), answer('Shipped'), answer('Six')];
  expect(matching(answers, 'ship').map((one) => one.name)).toEqual(['Shipped', 'Not shipped']);
  expect(matching(answers, 'six').map((one) => one.name)).toEqual(['Six', 'Hours']);
  expect(matching(answers, 'nothing')).toEqual([]);
});

test('only so many are offered', () => {
  expect(
    matching(
      Array.from({ length: 20 }, (_, i) => answer(`a${i}`)),
      '',
    ),
  ).toHaveLength(8);
});
