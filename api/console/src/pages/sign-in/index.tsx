import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { byKey, byPassword } from './data';
import { Door } from './Door';

/** The way in: with an address and a password, or with an API key. */
export default function SignIn() {
  const t = useT();
  const navigate = useNavigate();
  const { to } = useSearch({ from: '/sign-in' });
  const [withKey, setWithKey] = useState(false);
  const enter = useMutation({
    mutationFn: (form: FormData) => (withKey ? byKey(form) : byPassword(form)),
    onSuccess: () => navigate({ to: to?.startsWith('/') ? to : '/', replace: true }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    enter.mutate(new FormData(event.currentTarget));
  };
  return (
    <Door title={t('signin.title')}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        {withKey ? (
          <TextField
            key="key"
            name="key"
            type="password"
            required
            autoComplete="off"
            label={t('signin.key')}
            hint={t('signin.key.hint')}
          />
        ) : (
          <>
            <TextField name="email" type="email" required autoComplete="username" label={t('signin.email')} />
            <TextField
              key="password"
              name="password"
              type="password"
              required
              autoComplete="current-password"
              label={t('signin.password')}
            />
          </>
        )}
        <ProblemNote error={enter.error} />
        <Button kind="primary" type="submit" disabled={enter.isPending}>
          {t('signin.enter')}
        </Button>
        <Button kind="quiet" onClick={() => setWithKey(!withKey)}>
          {withKey ? t('signin.with.password') : t('signin.with.key')}
        </Button>
        <Link to="/join" className="text-center text-sm underline">
          {t('signin.join')}
        </Link>
      </form>
    </Door>
  );
}
