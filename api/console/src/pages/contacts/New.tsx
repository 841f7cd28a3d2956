import { useNavigate } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { useNewContact } from './data';

/** Adds one person, and opens them. */
export function New({ onClose }: { onClose: () => void }) {
  const t = useT();
  const navigate = useNavigate();
  const make = useNewContact();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const tags = text('tags').split(',');
    const body = {
      phone: text('phone'),
      first_name: text('first_name') || null,
      last_name: text('last_name') || null,
      tags: tags.map((tag) => tag.trim()).filter(Boolean),
    };
    make.mutate(body, {
      onSuccess: ({ id }) => void navigate({ to: '/contacts/$id', params: { id } }),
    });
  };
  const wrong = wrongIn(make.error);
  return (
    <Dialog title={t('contacts.new')} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <TextField name="phone" type="tel" required label={t('field.phone')} error={wrong('phone')} />
        <TextField name="first_name" label={t('contact.first')} error={wrong('first_name')} />
        <TextField name="last_name" label={t('contact.last')} error={wrong('last_name')} />
        <TextField name="tags" label={t('field.tags')} hint={t('builder.tags.hint')} error={wrong('tags')} />
        <ProblemNote error={make.error} />
        <Button kind="primary" type="submit" disabled={make.isPending}>
          {t('contacts.new')}
        </Button>
      </form>
    </Dialog>
  );
}
