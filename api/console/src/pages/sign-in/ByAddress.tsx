import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { sendCode, sendLink } from './data';
import { EnterCode } from './EnterCode';
import { Form } from './Form';

type Sent = { to: string; what: 'code' | 'link' };

/** In by a code to an address of mail or a number, or by a link to an address of mail. */
export function ByAddress({ onEnter }: { onEnter: () => void }) {
  const t = useT();
  const [to, setTo] = useState('');
  const [sent, setSent] = useState<Sent | null>(null);
  const link = useMutation({ mutationFn: sendLink, onSuccess: () => setSent({ to, what: 'link' }) });

  if (sent?.what === 'code') {
    return <EnterCode to={sent.to} onEnter={onEnter} onBack={() => setSent(null)} />;
  }
  if (sent) return <p role="status">{t('signin.link.sent', { to: sent.to })}</p>;
  return (
    <>
      <Form
        act={() => sendCode(to.trim())}
        onDone={() => setSent({ to: to.trim(), what: 'code' })}
        button={t('signin.send.code')}
      >
        <TextField
          name="to"
          required
          autoComplete="username"
          label={t('signin.address')}
          hint={t('signin.address.hint')}
          value={to}
          onChange={(event) => setTo(event.target.value)}
        />
      </Form>
      {to.includes('@') && (
        <Button disabled={link.isPending} onClick={() => link.mutate(to.trim())}>
          {t('signin.send.link')}
        </Button>
      )}
      <ProblemNote error={link.error} />
    </>
  );
}
