import { useState, type FormEvent } from 'react';
import { useMe } from '../../api/me';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { TextField } from '../../ui/Field';
import { Card } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useNewPassword, useProve, useSendAddressCode } from './data';
import { Sessions } from './Sessions';

/** How the person signs in: their addresses, their password, and where they are signed in. */
export function Me() {
  const t = useT();
  const person = useMe().data?.person;
  return (
    <>
      <Card title={person?.name ?? ''}>
        <Facts
          facts={[
            [t('people.email'), person?.email ?? t('me.none')],
            [t('field.phone'), person?.phone ?? t('me.none')],
          ]}
        />
        <Address />
      </Card>
      <Password />
      <Sessions />
    </>
  );
}

/** Another address, or a number: it is theirs once they say the code that was sent to it. */
function Address() {
  const t = useT();
  const send = useSendAddressCode();
  const prove = useProve();
  const [to, setTo] = useState<string | null>(null);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget).get('said') ?? '').trim();
    if (to === null) return send.mutate(text, { onSuccess: () => setTo(text) });
    const done = () => {
      toast(t('me.proven', { to }));
      setTo(null);
    };
    prove.mutate({ to, code: text }, { onSuccess: done });
  };
  return (
    <>
      {to !== null && <p role="status">{t('me.sent', { to })}</p>}
      <form className="flex flex-wrap items-end gap-3" onSubmit={submit}>
        <TextField
          key={to}
          name="said"
          required
          autoComplete={to === null ? 'off' : 'one-time-code'}
          label={t(to === null ? 'me.address' : 'signin.code')}
        />
        <Button type="submit" disabled={send.isPending || prove.isPending}>
          {t(to === null ? 'signin.send.code' : 'me.prove')}
        </Button>
        {to !== null && (
          <Button kind="quiet" onClick={() => setTo(null)}>
            {t('act.cancel')}
          </Button>
        )}
      </form>
      <ProblemNote error={to === null ? send.error : prove.error} />
    </>
  );
}

function Password() {
  const t = useT();
  const change = useNewPassword();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const text = (name: string) => String(new FormData(form).get(name) ?? '');
    const done = () => {
      toast(t('me.password.done'));
      form.reset();
    };
    change.mutate({ current: text('current'), new: text('new') }, { onSuccess: done });
  };
  return (
    <Card title={t('signin.password')}>
      <form className="flex flex-wrap items-end gap-3" onSubmit={submit}>
        <TextField
          name="current"
          type="password"
          required
          autoComplete="current-password"
          label={t('me.password.current')}
        />
        <TextField
          name="new"
          type="password"
          required
          minLength={12}
          autoComplete="new-password"
          label={t('reset.password')}
        />
        <Button type="submit" disabled={change.isPending}>
          {t('me.password.change')}
        </Button>
      </form>
      <ProblemNote error={change.error} />
    </Card>
  );
}
