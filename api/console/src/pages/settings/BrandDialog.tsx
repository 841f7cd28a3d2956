import type { FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { CheckField, TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { useChangeBrand } from './data';

/** What a brand is called and how it looks; whether anything new may belong to it. */
export function BrandDialog({ brand, onClose }: { brand: Schemas['Brand']; onClose: () => void }) {
  const t = useT();
  const change = useChangeBrand();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const body = {
      name: text('name'),
      display_name: text('display_name'),
      colour: text('colour'),
      logo_url: text('logo_url') || null,
      archived: form.has('archived'),
    };
    change.mutate({ id: brand.id, body }, { onSuccess: onClose });
  };
  const wrong = wrongIn(change.error);
  return (
    <Dialog title={t('brands.change', { name: brand.name })} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <TextField
          name="name"
          required
          label={t('field.name')}
          defaultValue={brand.name}
          error={wrong('name')}
        />
        <TextField
          name="display_name"
          required
          label={t('brands.display')}
          defaultValue={brand.display_name}
          error={wrong('display_name')}
        />
        <TextField
          name="colour"
          type="color"
          className="max-w-24 p-1"
          label={t('look.colour')}
          defaultValue={brand.colour}
          error={wrong('colour')}
        />
        <TextField
          name="logo_url"
          required={brand.logo_url !== null}
          type="url"
          label={t('look.logo')}
          defaultValue={brand.logo_url ?? ''}
          error={wrong('logo_url')}
        />
        <CheckField
          name="archived"
          label={t('brands.archived')}
          defaultChecked={brand.archived_at !== null}
        />
        <ProblemNote error={change.error} />
        <Button kind="primary" type="submit" disabled={change.isPending}>
          {t('act.save')}
        </Button>
      </form>
    </Dialog>
  );
}
