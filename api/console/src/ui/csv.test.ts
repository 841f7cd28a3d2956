import { expect, test } from 'vitest';
import { csvOf } from './csv';

test('cells with commas, quotation marks and lines stay one cell', () => {
  expect(
    csvOf([
      ['line', 'why'],
      ['7', 'a "b", c\nd'],
    ]),
  ).toBe('"line","why"\r\n"7","a ""b"", c\nd"\r\n');
});
