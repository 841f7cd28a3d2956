import { expect, test } from 'vitest';
import { settingsOf } from './form';

const BEFORE: Parameters<typeof settingsOf>[1] = {
  enabled: true,
  only_confident: false,
  model: null,
  persona: 'Long.',
  knowledge: '',
  forbidden: [],
  hours: 'mon-sun 00:00-24:00',
  holidays: [],
  closed_answer: 'Later.',
  keywords: [],
  qualification: [],
  escalate_on: [],
  budget: { answers_per_hour: 3, tokens_per_day: 9, cost_micros_per_day: null },
  price: null,
  quiet_seconds: 3,
  answer_within_minutes: 60,
  max_segments: 2,
};

const form = (fields: Record<string, string>) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
};

test('what is left empty is unset where it may be, and a switch that is off is not in the form', () => {
  const said = settingsOf(form({ persona: ' Short. ', closed_answer: '' }), BEFORE);
  expect(said.enabled).toBe(false);
  expect(said.persona).toBe('Short.');
  expect(said.closed_answer).toBeNull();
  expect(said.price).toBeNull();
  expect(said.hours).toBe(BEFORE.hours);
  expect(said.budget).toEqual({ answers_per_hour: 3, tokens_per_day: null, cost_micros_per_day: null });
});

test('numbers are numbers, lines are lists', () => {
  const said = settingsOf(
    form({
      enabled: 'on',
      forbidden: 'promise a discount\nname a price',
      quiet_seconds: '5',
      answers_per_hour: '7',
      input_micros: '1000000',
    }),
    BEFORE,
  );
  expect(said.enabled).toBe(true);
  expect(said.forbidden).toEqual(['promise a discount', 'name a price']);
  expect(said.quiet_seconds).toBe(5);
  expect(said.budget.answers_per_hour).toBe(7);
  expect(said.price).toEqual({ input_micros: 1_000_000, output_micros: 0 });
});
