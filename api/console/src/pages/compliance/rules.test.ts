import { expect, test } from 'vitest';
import { leafOf, rulesOf, withRule } from './rules';

const POLICY = {
  suppression_days: 30,
  quiet_hours: { window: 'daily 09:00-21:00', spread_seconds: 0 },
  allowed_countries: ['US', 'CA'],
  warmup: [50, 100],
  require_consent: true,
  help_contact: null,
};

test('every rule has a name, however deep it lies', () => {
  expect(rulesOf(POLICY).map((one) => one.name)).toEqual([
    'suppression_days',
    'quiet_hours.window',
    'quiet_hours.spread_seconds',
    'allowed_countries',
    'warmup',
    'require_consent',
    'help_contact',
  ]);
});

test('one rule is said otherwise, and the others stay', () => {
  const next = withRule(POLICY, 'quiet_hours.spread_seconds', 600);
  expect(next).toEqual({ ...POLICY, quiet_hours: { ...POLICY.quiet_hours, spread_seconds: 600 } });
  expect(POLICY.quiet_hours.spread_seconds).toBe(0);
});

test('what is typed is read as the rule had it', () => {
  expect(leafOf('45', 30)).toBe(45);
  expect(leafOf('US, MX,', ['US'])).toEqual(['US', 'MX']);
  expect(leafOf('50, 200', [50])).toEqual([50, 200]);
  expect(leafOf(' ', null)).toBe(null);
});
