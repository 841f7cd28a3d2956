import { Link } from '@tanstack/react-router';
import { useT } from '../../i18n';
import { TextField } from '../../ui/Field';
import { byPassword } from './data';
import { Form } from './Form';

/** In by an address and its password. */
export function ByPassword({ onEnter }: { onEnter: () => void }) {
  const t = useT();
  return (
    <Form act={byPassword} onDone={onEnter} button={t('signin.enter')}>
      <TextField name="email" required autoComplete="username" label={t('signin.address')} />
      <TextField
        name="password"
        type="password"
        required
        autoComplete="current-password"
        label={t('signin.password')}
      />
      <Link to="/reset" className="text-sm underline">
        {t('signin.forgotten')}
      </Link>
    </Form>
  );
}
