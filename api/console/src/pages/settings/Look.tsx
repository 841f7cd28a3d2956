import type { FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { Card } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useTenant } from './data';

/** What the company's pages call it, and its colour. */
export function Look({ theme }: { theme: Schemas['Theme'] }) {
  const t = useT();
  const may = useMay('edit_settings');
  const change = useTenant();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim() || null;
    const next = { display_name: text('display_name'), colour: text('colour'), logo_url: text('logo_url') };
    change.mutate({ theme: next }, { onSuccess: () => toast(t('settings.saved')) });
  };
  const wrong = wrongIn(change.error, 'theme.');
  return (
    <Card title={t('look.title')}>
      <form className="flex max-w-md flex-col gap-3" onSubmit={submit}>
        <TextField
          name="display_name"
          required
          label={t('look.name')}
          readOnly={!may}
          defaultValue={theme.display_name}
          error={wrong('display_name')}
        />
        <TextField
          name="colour"
          type="color"
          className="max-w-24 p-1"
          label={t('look.colour')}
          hint={t('look.colour.hint')}
          disabled={!may}
          defaultValue={theme.colour}
          error={wrong('colour')}
        />
        <TextField
          name="logo_url"
          required={theme.logo_url !== null}
          type="url"
          label={t('look.logo')}
          hint={t('look.logo.hint')}
          readOnly={!may}
          defaultValue={theme.logo_url ?? ''}
          error={wrong('logo_url')}
        />
        <ProblemNote error={change.error} />
        {may && (
          <Button kind="primary" type="submit" className="self-start" disabled={change.isPending}>
            {t('look.save')}
          </Button>
        )}
      </form>
    </Card>
  );
}
