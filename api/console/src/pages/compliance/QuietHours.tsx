import { useState, type FormEvent } from 'react';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { Card, Coming } from '../../ui/Page';
import { colourOf, Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { useQuietHours, type Answer } from './data';

/** Where in the United States marketing may go out, as the gate of quiet hours says of each state. */
export function QuietHours() {
  const t = useT();
  const [at, setAt] = useState<string>();
  const hours = useQuietHours(at);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const field = String(new FormData(event.currentTarget).get('at') ?? '');
    const next = field ? new Date(field).toISOString() : undefined;
    if (next === at) void hours.refetch();
    else setAt(next);
  };
  return (
    <Card title={t('hours.title')}>
      <p className="text-soft">{t('hours.says')}</p>
      <form className="flex flex-wrap items-end gap-3" onSubmit={submit}>
        <TextField name="at" type="datetime-local" label={t('whatif.at')} hint={t('whatif.at.hint')} />
        <Button type="submit" disabled={hours.isFetching}>
          {t('hours.ask')}
        </Button>
      </form>
      <ProblemNote error={hours.error} onRetry={() => void hours.refetch()} />
      {hours.isLoading && <Coming says={t('hours.asks')} rows={8} />}
      {hours.data && <Tiles answers={hours.data} />}
    </Card>
  );
}

function Tiles({ answers }: { answers: Answer[] }) {
  const t = useT();
  const verdicts = [...new Set(answers.map((one) => one.verdict))];
  return (
    <>
      <p className="flex flex-wrap gap-4">
        {verdicts.map((verdict) => (
          <span key={verdict} className="flex items-center gap-2">
            <span className="font-semibold">{answers.filter((one) => one.verdict === verdict).length}</span>
            <Pill state={verdict} />
          </span>
        ))}
      </p>
      <ul
        aria-label={t('hours.title')}
        data-testid="quiet-hours"
        className="grid w-fit grid-cols-[repeat(11,minmax(0,2.5rem))] gap-1"
      >
        {answers.map((one) => (
          <li
            key={one.code}
            style={{ gridRow: one.row, gridColumn: one.column }}
            className={`flex aspect-square min-w-0 flex-col items-center justify-center rounded-md border
              border-current text-xs leading-tight ${colourOf(one.verdict)}`}
          >
            <span className="font-semibold">{one.code}</span>
            <span aria-hidden="true">{one.verdict === 'pass' ? '✓' : '◷'}</span>
          </li>
        ))}
      </ul>
      <ul className="flex flex-col gap-1 text-xs">
        {answers
          .filter((one) => one.verdict !== 'pass')
          .map((one) => (
            <li key={one.code} className="flex flex-wrap items-center gap-3">
              <span className="w-6 font-semibold">{one.code}</span>
              <Pill state={one.verdict} />
              {one.until && (
                <span>
                  {t('check.until')} <Time at={one.until} />
                </span>
              )}
              <span className="text-soft">{one.reason}</span>
            </li>
          ))}
      </ul>
    </>
  );
}
