import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { byInvitation, codeOfLink } from './data';
import { Door } from './Door';

/** Coming to a company by an invitation: a link brings its code, which is good once. */
export default function Join() {
  const t = useT();
  const navigate = useNavigate();
  const [code] = useState(codeOfLink);
  const join = useMutation({
    mutationFn: byInvitation,
    onSuccess: () => navigate({ to: '/', replace: true }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    join.mutate(new FormData(event.currentTarget));
  };
  return (
    <Door title={t('join.title')}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <TextField name="code" required defaultValue={code} label={t('join.code')} autoComplete="off" />
        <TextField name="name" required autoComplete="name" label={t('join.name')} />
        <TextField
          name="password"
          type="password"
          required
          minLength={12}
          autoComplete="new-password"
          label={t('signin.password')}
          hint={t('join.password.hint')}
        />
        <ProblemNote error={join.error} />
        <Button kind="primary" type="submit" disabled={join.isPending}>
          {t('join.enter')}
        </Button>
      </form>
    </Door>
  );
}
