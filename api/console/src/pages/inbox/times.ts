import type { Key } from '../../i18n';

const HOUR = 3_600_000;

/** When somebody may want to look at a conversation again, in the reader's zone. */
export function snoozes(now: Date): [name: Key, until: Date][] {
  const morning = (days: number) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 9, 0, 0, 0);
  const toMonday = (8 - now.getDay()) % 7 || 7;
  return [
    ['inbox.snooze.hour', new Date(now.getTime() + HOUR)],
    ['inbox.snooze.hours', new Date(now.getTime() + 3 * HOUR)],
    ['inbox.snooze.tomorrow', morning(1)],
    ['inbox.snooze.monday', morning(toMonday)],
  ];
}

/** A full ring: the longest that the api lets somebody be answered, in seconds. */
const WHOLE = 24 * 3600;

/** How much of the ring is left, 0 to 1. */
export const left = (seconds: number) => Math.max(0, Math.min(1, seconds / WHOLE));

/** Seconds in hours and minutes, as a clock counts down. */
export function span(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
}

/** The first letters of at most two words of a name. */
export const initials = (name: string) =>
  name
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => [...word][0]?.toLocaleUpperCase() ?? '')
    .join('');
