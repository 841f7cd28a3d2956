import { useEffect, useMemo, useState } from 'react';
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
    const day = new Intl.DateTimeFormat(language, { dateStyle: 'full' });
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
      day: (at: string) => day.format(new Date(at)),
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

/** The time of day of an instant; where the pointer rests, all of it. */
export function Clock({ at }: { at: string }) {
  const format = useFormat();
  return (
    <time dateTime={at} title={format.time(at)} className="whitespace-nowrap">
      {format.clock(at)}
    </time>
  );
}

/** How long ago an instant was, as long as that is under a day; where the pointer rests, when. */
export function Age({ at }: { at: string | null | undefined }) {
  const { language } = useLanguage();
  const format = useFormat();
  const now = useMinute();
  if (!at) return null;
  const days = new Date(at).toLocaleDateString(language, { day: 'numeric', month: 'short' });
  return (
    <time dateTime={at} title={format.time(at)}>
      {relative(language, (Date.parse(at) - now) / 1000) ?? days}
    </time>
  );
}

/** The time of this machine, read again every minute. */
function useMinute(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE * 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
