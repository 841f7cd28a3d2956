import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { Facts } from '../../ui/Facts';
import { CheckField, TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useChangeAccount, useRemoveAccount } from './data';

type Props = { account: Schemas['CarrierAccount']; onClose: () => void };

/** One account: what the carrier is to call, a new secret, and the way out. */
export function AccountDialog({ account, onClose }: Props) {
  const t = useT();
  const change = useChangeAccount();
  const remove = useRemoveAccount();
  const [asks, setAsks] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const secret = String(form.get('auth_token') ?? '');
    const body = {
      base_url: String(form.get('base_url') ?? '').trim(),
      confirms_opt_out: form.has('confirms_opt_out'),
      ...(secret ? { auth_token: secret } : {}),
    };
    const onSuccess = () => {
      toast(t('settings.saved'));
      onClose();
    };
    change.mutate({ account: account.account, body }, { onSuccess });
  };
  const wrong = wrongIn(change.error);
  if (asks) {
    return (
      <Confirm
        title={t('accounts.remove')}
        says={t('accounts.remove.says')}
        act={t('accounts.remove')}
        typed={account.account}
        onConfirm={() => remove.mutate(account.account, { onSuccess: onClose })}
        onClose={() => setAsks(false)}
      />
    );
  }
  return (
    <Dialog wide title={account.account} onClose={onClose}>
      <Facts
        facts={[
          [t('accounts.carrier'), account.carrier],
          [t('accounts.sid'), account.carrier_sid],
          [t('accounts.inbound'), account.inbound_webhook && <code key="in">{account.inbound_webhook}</code>],
          [t('accounts.receipts'), account.status_webhook && <code key="out">{account.status_webhook}</code>],
        ]}
      />
      <form className="flex flex-col gap-3" autoComplete="off" onSubmit={submit}>
        <TextField
          name="auth_token"
          type="password"
          autoComplete="new-password"
          label={t('accounts.secret.new')}
          hint={t('accounts.secret.hint')}
          error={wrong('auth_token')}
        />
        <TextField
          name="base_url"
          type="url"
          required
          label={t('accounts.address')}
          defaultValue={account.base_url}
          error={wrong('base_url')}
        />
        <CheckField
          name="confirms_opt_out"
          label={t('accounts.confirms')}
          defaultChecked={account.confirms_opt_out}
        />
        <ProblemNote error={change.error ?? remove.error} />
        <div className="flex justify-between gap-2">
          <Button kind="danger" disabled={remove.isPending} onClick={() => setAsks(true)}>
            {t('accounts.remove')}
          </Button>
          <Button kind="primary" type="submit" disabled={change.isPending}>
            {t('act.save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
