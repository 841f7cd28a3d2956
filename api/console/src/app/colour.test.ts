import { expect, test } from 'vitest';
import { contrast, readable } from './colour';

test('black on white has the contrast that WCAG names, and a colour on itself has none', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#6366f1', '#6366f1')).toBe(1);
});

test('a colour that stands out already stays as it is', () => {
  expect(readable('#1d4ed8', '#ffffff', '#000000', 4.5)).toBe('#1d4ed8');
});

test('whatever colour a company has, what is written on it can be read', () => {
  for (const colour of ['#ffff00', '#ffffff', '#00ffcc', '#6366f1', '#000000', '#ff7777']) {
    expect(contrast(readable(colour, '#ffffff', '#000000', 4.5), '#ffffff')).toBeGreaterThanOrEqual(4.5);
    expect(contrast(readable(colour, '#12141a', '#ffffff', 3), '#12141a')).toBeGreaterThanOrEqual(3);
  }
});
