import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useT } from '../../i18n';
import { TextField } from '../../ui/Field';
import { byInvitation, codeOfLink } from './data';
import { Door } from './Door';
import { Form } from './Form';

/** Coming to a company by an invitation: a link brings its code, which is good once. */
export default function Join() {
  const t = useT();
  const navigate = useNavigate();
  const [code] = useState(codeOfLink);
  return (
    <Door title={t('join.title')}>
      <Form
        act={byInvitation}
        onDone={() => void navigate({ to: '/', replace: true })}
        button={t('join.enter')}
      >
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
      </Form>
    </Door>
  );
}
