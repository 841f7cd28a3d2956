import { expect, test } from 'vitest';
import { keywordLines, keywordsOf, linesOf, qualificationLines, qualificationOf } from './lines';

test('lines without anything are no texts', () => {
  expect(linesOf(' a \n\n  \nb')).toEqual(['a', 'b']);
});

test('words stand before the first sign of equality, and the answer may have others', () => {
  const all = keywordsOf('hours, opening = Nine to six.\nsum = 1 = 1');
  expect(all).toEqual([
    { words: ['hours', 'opening'], answer: 'Nine to six.' },
    { words: ['sum'], answer: '1 = 1' },
  ]);
  expect(keywordsOf(keywordLines(all))).toEqual(all);
});

test('a line that is not whole is kept, so that the api says what it lacks', () => {
  expect(keywordsOf('hours')).toEqual([{ words: ['hours'], answer: '' }]);
  expect(qualificationOf('visit_day')).toEqual([{ name: 'visit_day', about: '' }]);
});

test('what is to be found out is written as it is read', () => {
  const all = [{ name: 'visit_day', about: 'when they want to come' }];
  expect(qualificationOf(qualificationLines(all))).toEqual(all);
});
