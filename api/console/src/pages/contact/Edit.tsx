import type { FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { useChange } from './data';

/** Changes who a person is. */
export function Edit({ contact, onDone }: { contact: Schemas['Contact']; onDone: () => void }) {
  const t = useT();
  const change = useChange(contact.id);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const tags = text('tags')
      .split(',')
      .map((tag) => tag.trim())
      .filter(Boolean);
    const body = {
      first_name: text('first_name') || null,
      last_name: text('last_name') || null,
      language: text('language') || null,
      time_zone: text('time_zone') || null,
      postal_code: text('postal_code') || null,
      tags,
    };
    change.mutate(body, { onSuccess: onDone });
  };
  const wrong = wrongIn(change.error);
  const fields = [
    ['first_name', t('contact.first'), contact.first_name],
    ['last_name', t('contact.last'), contact.last_name],
    ['language', t('field.language'), contact.language],
    ['time_zone', t('field.zone'), contact.time_zone],
    ['postal_code', t('field.postal'), contact.postal_code],
    ['tags', t('field.tags'), contact.tags.join(', ')],
  ] as const;
  return (
    <form className="flex flex-col gap-3" onSubmit={submit}>
      {fields.map(([name, label, value]) => (
        <TextField key={name} name={name} label={label} defaultValue={value ?? ''} error={wrong(name)} />
      ))}
      <ProblemNote error={change.error} />
      <div className="flex gap-2">
        <Button kind="primary" type="submit" disabled={change.isPending}>
          {t('act.save')}
        </Button>
        <Button onClick={onDone}>{t('act.cancel')}</Button>
      </div>
    </form>
  );
}
