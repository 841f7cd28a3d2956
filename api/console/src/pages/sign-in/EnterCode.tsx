import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { byCode } from './data';
import { Form } from './Form';

type Props = { to: string; onEnter: () => void; onBack: () => void };

/** The six digits that were sent to an address. */
export function EnterCode({ to, onEnter, onBack }: Props) {
  const t = useT();
  return (
    <>
      <p role="status">{t('signin.code.sent', { to })}</p>
      <Form
        act={(form) => byCode(to, String(form.get('code') ?? ''))}
        onDone={onEnter}
        button={t('signin.enter')}
      >
        <TextField
          name="code"
          required
          autoFocus
          inputMode="numeric"
          autoComplete="one-time-code"
          label={t('signin.code')}
        />
      </Form>
      <Button kind="quiet" onClick={onBack}>
        {t('signin.code.again')}
      </Button>
    </>
  );
}
