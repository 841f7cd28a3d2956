import { expect, test } from 'vitest';
import { inZone } from './format';

test('an instant is said in the zone of the company, by its name', () => {
  const said = inZone('en', 'America/New_York', '2026-07-01T16:00:00Z');
  expect(said).toMatch(/Jul 1, 2026.*12:00:00\sPM.*\(America\/New_York\)/);
});

test('without a zone, or with one that there is not, it stays as the API has it', () => {
  expect(inZone('en', undefined, '2026-07-01T16:00:00Z')).toBe('2026-07-01T16:00:00Z');
  expect(inZone('en', 'Nowhere/Town', '2026-07-01T16:00:00Z')).toBe('2026-07-01T16:00:00Z');
});
