import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useT } from '../../i18n';
import { TextField } from '../../ui/Field';
import { byReset, sendResetCode } from './data';
import { Door } from './Door';
import { Form } from './Form';

/** A new password in place of one that was forgotten: first a code, then the password. */
export default function Reset() {
  const t = useT();
  const navigate = useNavigate();
  const [to, setTo] = useState('');
  const [isSent, setIsSent] = useState(false);
  return (
    <Door title={t('reset.title')}>
      {isSent ? (
        <>
          <p role="status">{t('signin.code.sent', { to })}</p>
          <Form
            act={(form) => byReset(to, form)}
            onDone={() => void navigate({ to: '/', replace: true })}
            button={t('reset.enter')}
          >
            <TextField
              key="code"
              name="code"
              required
              autoFocus
              inputMode="numeric"
              autoComplete="one-time-code"
              label={t('signin.code')}
            />
            <TextField
              name="password"
              type="password"
              required
              minLength={12}
              autoComplete="new-password"
              label={t('reset.password')}
              hint={t('reset.password.hint')}
            />
          </Form>
        </>
      ) : (
        <Form act={() => sendResetCode(to)} onDone={() => setIsSent(true)} button={t('signin.send.code')}>
          <TextField
            name="to"
            required
            autoComplete="username"
            label={t('signin.address')}
            hint={t('signin.address.hint')}
            value={to}
            onChange={(event) => setTo(event.target.value.trim())}
          />
        </Form>
      )}
      <Link to="/sign-in" className="text-center text-sm underline">
        {t('signin.other')}
      </Link>
    </Door>
  );
}
