import { expect, test } from 'vitest';
import { priceLines, pricesOf } from './prices';

test('a line is a country, a category and an amount, and a star is everywhere else', () => {
  const text = 'us marketing 0.025\n\n* service 0.004';
  const prices = [
    { country: 'US', category: 'marketing', price: { amount: '0.025', currency: 'USD' } },
    { country: null, category: 'service', price: { amount: '0.004', currency: 'USD' } },
  ];
  expect(pricesOf(text, 'USD')).toEqual({ prices });
});

test('the first line that is no price is named as it is counted in the text', () => {
  expect(pricesOf('\nUS marketing', 'USD')).toEqual({ wrong: 2 });
  expect(pricesOf('US marketing -1', 'USD')).toEqual({ wrong: 1 });
});

test('prices are written as they are read', () => {
  const text = 'US marketing 0.025\n* service 0.004';
  const read = pricesOf(text, 'USD');
  expect('prices' in read && priceLines(read.prices)).toBe(text);
});
