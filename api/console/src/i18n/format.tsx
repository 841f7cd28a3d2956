import { useMemo } from 'react';
import type { Schemas } from '../api/client';
import { useLanguage } from '.';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** A span of seconds as people say it: relative under a day. */
export function relative(language: string, seconds: number): string | null {
  const size = Math.abs(seconds);
  if (size >= DAY) return null;
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  if (size < MINUTE) return format.format(Math.round(seconds), 'second');
  if (size < HOUR) return format.format(Math.round(seconds / MINUTE), 'minute');
  return format.format(Math.round(seconds / HOUR), 'hour');
}

/** How numbers, money and times are written in the reader's language and zone. */
export function useFormat() {
  const { language } = useLanguage();
  return useMemo(() => {
    const number = new Intl.NumberFormat(language);
    const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
    return {
      number: (value: number | null | undefined) => (value == null ? '–' : number.format(value)),
      money: (money: Schemas['Money'] | null | undefined) =>
        money == null
          ? '–'
          : new Intl.NumberFormat(language, { style: 'currency', currency: money.currency }).format(
              Number(money.amount),
            ),
      /** What one of something costs: with as many decimals as it has. */
      price: (money: Schemas['Money']) =>
        new Intl.NumberFormat(language, {
          style: 'currency',
          currency: money.currency,
          maximumFractionDigits: 6,
        }).format(Number(money.amount)),
      time: (at: string | null | undefined) => (at == null ? '–' : time.format(new Date(at))),
      clock: (at: string) => new Date(at).toLocaleTimeString(language, { timeStyle: 'short' }),
    };
  }, [language]);
}

/** An instant in the reader's zone; where the pointer rests, as the api has it. */
export function Time({ at }: { at: string | null | undefined }) {
  const format = useFormat();
  if (!at) return <span className="text-soft">{'–'}</span>;
  return (
    <time dateTime={at} title={at} className="whitespace-nowrap">
      {format.time(at)}
    </time>
  );
}
