import { useEffect, useState } from 'react';
import type { Schemas } from '../api/client';
import { useMe } from '../api/me';
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

/** Formats are dear to make, and every cell of a table asks for some: each is made once. */
const made = new Map<string, ReturnType<typeof formats>>();

function formats(language: string) {
  const number = new Intl.NumberFormat(language);
  const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'full' });
  const money = (currency: string, more: Intl.NumberFormatOptions = {}) =>
    new Intl.NumberFormat(language, { style: 'currency', currency, ...more });
  return {
    number: (value: number | null | undefined) => (value == null ? '–' : number.format(value)),
    money: (of: Schemas['Money'] | null | undefined) =>
      of == null ? '–' : money(of.currency).format(Number(of.amount)),
    /** What one of something costs: with as many decimals as it has. */
    price: (of: Schemas['Money']) =>
      money(of.currency, { maximumFractionDigits: 6 }).format(Number(of.amount)),
    time: (at: string | null | undefined) => (at == null ? '–' : time.format(new Date(at))),
    day: (at: string) => day.format(new Date(at)),
    clock: (at: string) => new Date(at).toLocaleTimeString(language, { timeStyle: 'short' }),
  };
}

/** How numbers, money and times are written in the reader's language and zone. */
export const useFormat = () => formatsOf(useLanguage().language);

function formatsOf(language: string) {
  let found = made.get(language);
  if (!found) made.set(language, (found = formats(language)));
  return found;
}

const zoned = new Map<string, Intl.DateTimeFormat>();

/** An instant in a zone, with the zone's name; as the API has it where there is no such zone. */
export function inZone(language: string, zone: string | undefined, at: string): string {
  if (!zone) return at;
  const name = `${language} ${zone}`;
  try {
    let format = zoned.get(name);
    if (!format) {
      const look = { dateStyle: 'medium', timeStyle: 'long', timeZone: zone } as const;
      zoned.set(name, (format = new Intl.DateTimeFormat(language, look)));
    }
    return `${format.format(new Date(at))} (${zone})`;
  } catch {
    return at;
  }
}

/** An instant in the company's zone, for where the pointer rests. */
function useInZone(at: string): string {
  const { language } = useLanguage();
  return inZone(language, useMe().data?.tenant.time_zone, at);
}

/** An instant in the reader's zone; where the pointer rests, in the company's. */
export function Time({ at }: { at: string | null | undefined }) {
  return at ? <Instant at={at} /> : <span className="text-soft">{'–'}</span>;
}

function Instant({ at }: { at: string }) {
  const format = useFormat();
  const title = useInZone(at);
  return (
    <time dateTime={at} title={title} className="whitespace-nowrap">
      {format.time(at)}
    </time>
  );
}

/** The time of day of an instant; where the pointer rests, all of it in the company's zone. */
export function Clock({ at }: { at: string }) {
  const format = useFormat();
  const title = useInZone(at);
  return (
    <time dateTime={at} title={title} className="whitespace-nowrap">
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
