import type { FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { wrongIn } from '../../api/problem';
import { useT, type Key } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { SelectField, TextArea, TextField } from '../../ui/Field';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { useExplain } from './data';

const CLASSES = ['promo', 'journey', 'conversational', 'transactional'] as const;

/** What each gate would say about a text to somebody, now or at another time. */
export function WhatIf({ to }: { to: string }) {
  const t = useT();
  const explain = useExplain();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const at = text('at');
    explain.mutate({
      to: text('to'),
      class: text('class') as Schemas['NewMessageClass'],
      body: text('body'),
      ...(at ? { at: new Date(at).toISOString() } : {}),
    });
  };
  const wrong = wrongIn(explain.error);
  return (
    <div className="grid gap-6 lg:grid-cols-2">
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <TextField
          name="to"
          type="tel"
          required
          defaultValue={to}
          label={t('field.phone')}
          error={wrong('to')}
        />
        <SelectField
          name="class"
          label={t('field.class')}
          choices={CLASSES.map((one) => [one, t(`class.${one}`)] as const)}
        />
        <TextField name="at" type="datetime-local" label={t('whatif.at')} hint={t('whatif.at.hint')} />
        <TextArea name="body" required rows={3} defaultValue={t('whatif.example')} label={t('whatif.body')} />
        <ProblemNote error={explain.error} />
        <Button type="submit" className="self-start" disabled={explain.isPending}>
          {t('whatif.ask')}
        </Button>
      </form>
      {explain.data && <Answer explanation={explain.data} />}
    </div>
  );
}

function Answer({ explanation }: { explanation: Schemas['Explanation'] }) {
  const t = useT();
  return (
    <div className="flex flex-col gap-3" data-testid="explanation">
      <p className="font-semibold">{explanation.sentence}</p>
      <ul className="flex flex-col gap-1.5">
        {explanation.gates.map((gate) => (
          <li key={gate.gate} className="flex flex-wrap items-center gap-2">
            <Pill state={gate.verdict} />
            <span>{t(`gate.${gate.gate}` as Key)}</span>
            {gate.reason && <span className="text-soft">{gate.reason}</span>}
            {gate.until && (
              <span className="text-soft">
                {t('check.until')} <Time at={gate.until} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
