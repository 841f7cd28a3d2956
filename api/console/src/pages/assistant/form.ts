import type { Schemas } from '../../api/client';
import { keywordsOf, linesOf, qualificationOf } from './lines';

type Settings = Schemas['AssistantSettings'];

/** What a form says; what it has no field for stays as it was. What is wrong in it says the api. */
export function settingsOf(form: FormData, before: Settings): Settings {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const orNull = (name: string) => text(name) || null;
  const count = (name: string) => (text(name) === '' ? null : Number(text(name)));
  const set = (name: string, value: number | null) => (value === null ? {} : { [name]: value });
  const [reads, writes] = [count('input_micros'), count('output_micros')];
  return {
    ...before,
    enabled: form.has('enabled'),
    only_confident: form.has('only_confident'),
    model: orNull('model'),
    persona: text('persona'),
    knowledge: text('knowledge'),
    closed_answer: orNull('closed_answer'),
    forbidden: linesOf(text('forbidden')),
    holidays: linesOf(text('holidays')),
    escalate_on: linesOf(text('escalate_on')),
    keywords: keywordsOf(text('keywords')),
    qualification: qualificationOf(text('qualification')),
    ...(text('hours') ? { hours: text('hours') } : {}),
    ...set('quiet_seconds', count('quiet_seconds')),
    ...set('answer_within_minutes', count('answer_within_minutes')),
    ...set('max_segments', count('max_segments')),
    budget: {
      ...before.budget,
      ...set('answers_per_hour', count('answers_per_hour')),
      tokens_per_day: count('tokens_per_day'),
      cost_micros_per_day: count('cost_micros_per_day'),
    },
    price:
      reads === null && writes === null ? null : { input_micros: reads ?? 0, output_micros: writes ?? 0 },
  };
}
