import { useNavigate } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';

/** One number out of a list; it stands in the URL. */
export function PhoneFilter({ tab, phone }: { tab: string; phone: string | undefined }) {
  const t = useT();
  const navigate = useNavigate();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const asked = String(new FormData(event.currentTarget).get('phone') ?? '').trim();
    void navigate({ to: '/compliance', search: { tab, ...(asked ? { phone: asked } : {}) } });
  };
  return (
    <form className="flex max-w-md items-end gap-2" onSubmit={submit}>
      <div className="flex-1">
        <TextField key={phone} type="search" name="phone" defaultValue={phone} label={t('field.phone')} />
      </div>
      <Button type="submit">{t('why.find')}</Button>
    </form>
  );
}
