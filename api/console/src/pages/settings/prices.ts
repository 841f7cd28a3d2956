import type { Schemas } from '../../api/client';

type Price = Schemas['WhatsappPrice'];

/** A price as it is written: `US marketing 0.025`, with `*` for everywhere else. */
const LINE = /^(\*|[A-Za-z]{2})\s+([a-z_]+)\s+(\d+(?:\.\d+)?)$/;

/** The prices that lines say, or the number of the first line that is none. */
export function pricesOf(text: string, currency: string): { prices: Price[] } | { wrong: number } {
  const prices: Price[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [, country = '', category = '', amount = ''] = LINE.exec(line.trim()) ?? [];
    if (!amount) return { wrong: index + 1 };
    prices.push({
      country: country === '*' ? null : country.toUpperCase(),
      category: category as Price['category'],
      price: { amount, currency },
    });
  }
  return { prices };
}

/** Prices as they are written. */
export const priceLines = (prices: Price[]) =>
  prices.map(({ country, category, price }) => `${country ?? '*'} ${category} ${price.amount}`).join('\n');
