import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { CheckField, TextArea, TextField } from '../../ui/Field';
import { keywordLines, qualificationLines } from './lines';

type Props = {
  settings: Schemas['AssistantSettings'];
  readOnly: boolean;
  wrong: (field: string) => string | undefined;
};

/** How it speaks and what it knows. */
export function Words({ settings, readOnly, wrong }: Props) {
  const t = useT();
  const areas = [
    ['persona', settings.persona, 3],
    ['knowledge', settings.knowledge, 10],
    ['forbidden', settings.forbidden.join('\n'), 3],
    ['keywords', keywordLines(settings.keywords), 3],
    ['qualification', qualificationLines(settings.qualification), 3],
    ['escalate_on', settings.escalate_on.join('\n'), 3],
    ['closed_answer', settings.closed_answer ?? '', 2],
    ['holidays', settings.holidays.join('\n'), 2],
  ] as const;
  return (
    <>
      <div className="flex flex-wrap gap-4">
        <CheckField
          name="enabled"
          label={t('assistant.enabled')}
          disabled={readOnly}
          defaultChecked={settings.enabled}
        />
        <CheckField
          name="only_confident"
          label={t('assistant.only_confident')}
          disabled={readOnly}
          defaultChecked={settings.only_confident}
        />
      </div>
      {areas.map(([name, value, rows]) => (
        <TextArea
          key={name}
          name={name}
          rows={rows}
          readOnly={readOnly}
          label={t(`assistant.${name}`)}
          hint={t(`assistant.${name}.hint`)}
          defaultValue={value}
          error={wrong(`settings.${name}`)}
        />
      ))}
    </>
  );
}

/** When it answers, how much it says, and what that may cost. */
export function Bounds({ settings, readOnly, wrong }: Props) {
  const t = useT();
  const { budget, price } = settings;
  const fields = [
    ['model', settings.model, 'settings.model', 'text'],
    ['hours', settings.hours, 'settings.hours', 'text'],
    ['quiet_seconds', settings.quiet_seconds, 'settings.quiet_seconds', 'number'],
    ['answer_within_minutes', settings.answer_within_minutes, 'settings.answer_within_minutes', 'number'],
    ['max_segments', settings.max_segments, 'settings.max_segments', 'number'],
    ['answers_per_hour', budget.answers_per_hour, 'settings.budget.answers_per_hour', 'number'],
    ['tokens_per_day', budget.tokens_per_day, 'settings.budget.tokens_per_day', 'number'],
    ['cost_micros_per_day', budget.cost_micros_per_day, 'settings.budget.cost_micros_per_day', 'number'],
    ['input_micros', price?.input_micros, 'settings.price.input_micros', 'number'],
    ['output_micros', price?.output_micros, 'settings.price.output_micros', 'number'],
  ] as const;
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      {fields.map(([name, value, field, type]) => (
        <TextField
          key={name}
          name={name}
          type={type}
          readOnly={readOnly}
          label={t(`assistant.${name}`)}
          defaultValue={value ?? ''}
          error={wrong(field)}
        />
      ))}
    </div>
  );
}
