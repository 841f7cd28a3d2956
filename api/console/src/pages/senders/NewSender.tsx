import type { FormEvent } from 'react';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { SelectField, TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useAccounts } from '../settings/data';
import { useNewSender } from './data';

/** Makes a number, a code or a name of a carrier account a sender. Its warm-up begins now. */
export function NewSender({ onClose }: { onClose: () => void }) {
  const t = useT();
  const make = useNewSender();
  const accounts = useAccounts().rows;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const cap = text('daily_cap');
    const body = {
      number: text('number'),
      account: text('account'),
      pace: Number(text('pace')),
      ...(cap ? { daily_cap: Number(cap) } : {}),
    };
    make.mutate(body, {
      onSuccess: ({ number }) => {
        toast(t('senders.made', { number }));
        onClose();
      },
    });
  };
  const wrong = wrongIn(make.error);
  return (
    <Dialog title={t('senders.new')} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <TextField
          name="number"
          required
          label={t('senders.number')}
          hint={t('senders.number.hint')}
          error={wrong('number')}
        />
        <SelectField
          name="account"
          required
          label={t('carrier.account')}
          choices={accounts.map((one) => [one.account, one.account] as const)}
          error={wrong('account')}
        />
        <TextField
          name="pace"
          type="number"
          min={1}
          required
          defaultValue={1}
          label={t('senders.pace')}
          error={wrong('pace')}
        />
        <TextField
          name="daily_cap"
          type="number"
          min={1}
          label={t('senders.cap')}
          error={wrong('daily_cap')}
        />
        <ProblemNote error={make.error} />
        <Button kind="primary" type="submit" disabled={make.isPending}>
          {t('senders.new')}
        </Button>
      </form>
    </Dialog>
  );
}
