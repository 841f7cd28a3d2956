import { useT } from '../../i18n';
import { TextField } from '../../ui/Field';
import { byKey } from './data';
import { Form } from './Form';

/** In by an API key, for this tab alone. */
export function ByKey({ onEnter }: { onEnter: () => void }) {
  const t = useT();
  return (
    <Form act={byKey} onDone={onEnter} button={t('signin.enter')}>
      <TextField
        name="key"
        type="password"
        required
        autoComplete="off"
        label={t('signin.key')}
        hint={t('signin.key.hint')}
      />
    </Form>
  );
}
