import type { FormEvent } from 'react';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { SelectField, TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useNewAccount } from './data';

/** The carriers that there are clients for; which of them may be used, the API says. */
const CARRIERS = [
  ['twilio', 'Twilio'],
  ['bandwidth', 'Bandwidth'],
  ['whatsapp', 'WhatsApp'],
] as const;

/** Adds an account at a carrier. Its secret is sent once, and never shown again. */
export function NewAccount({ onClose }: { onClose: () => void }) {
  const t = useT();
  const make = useNewAccount();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const body = {
      account: text('account'),
      carrier: text('carrier'),
      carrier_sid: text('carrier_sid'),
      auth_token: text('auth_token'),
      ...(text('base_url') ? { base_url: text('base_url') } : {}),
    };
    make.mutate(body, {
      onSuccess: () => {
        toast(t('accounts.made', { account: body.account }));
        onClose();
      },
    });
  };
  const wrong = wrongIn(make.error);
  return (
    <Dialog title={t('accounts.new')} onClose={onClose}>
      <form className="flex flex-col gap-3" autoComplete="off" onSubmit={submit}>
        <TextField name="account" required label={t('field.name')} error={wrong('account')} />
        <SelectField
          name="carrier"
          label={t('accounts.carrier')}
          choices={CARRIERS}
          error={wrong('carrier')}
        />
        <TextField name="carrier_sid" required label={t('accounts.sid')} error={wrong('carrier_sid')} />
        <TextField
          name="auth_token"
          type="password"
          autoComplete="new-password"
          required
          label={t('accounts.secret')}
          hint={t('accounts.secret.hint')}
          error={wrong('auth_token')}
        />
        <TextField
          name="base_url"
          type="url"
          label={t('accounts.address')}
          hint={t('accounts.address.hint')}
          error={wrong('base_url')}
        />
        <ProblemNote error={make.error} />
        <Button kind="primary" type="submit" disabled={make.isPending}>
          {t('accounts.new')}
        </Button>
      </form>
    </Dialog>
  );
}
