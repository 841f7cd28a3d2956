import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useT } from '../../i18n';
import { TextField } from '../../ui/Field';
import { signUp } from './data';
import { Door } from './Door';
import { EnterCode } from './EnterCode';
import { Form } from './Form';

/** A company of one's own: who it is, then the code that shows that the address is theirs. */
export default function SignUp() {
  const t = useT();
  const navigate = useNavigate();
  const [to, setTo] = useState('');
  return (
    <Door title={t('signup.title')}>
      {to ? (
        <EnterCode
          to={to}
          onEnter={() => void navigate({ to: '/', replace: true })}
          onBack={() => setTo('')}
        />
      ) : (
        <Form act={signUp} onDone={setTo} button={t('signin.send.code')}>
          <TextField name="company" required autoComplete="organization" label={t('signup.company')} />
          <TextField name="name" required autoComplete="name" label={t('join.name')} />
          <TextField
            name="to"
            required
            autoComplete="username"
            label={t('signin.address')}
            hint={t('signin.address.hint')}
          />
        </Form>
      )}
      <Link to="/sign-in" className="text-center text-sm underline">
        {t('signin.other')}
      </Link>
    </Door>
  );
}
