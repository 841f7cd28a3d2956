import type { FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { SelectField, TextField } from '../../ui/Field';
import { List } from '../../ui/List';
import { ProblemNote } from '../../ui/Problem';
import type { Column } from '../../ui/Table';
import { useBrands, useInboxes, useNewInbox } from './data';

/** Where the conversations of a brand go. */
export function Inboxes() {
  const t = useT();
  const may = useMay('edit_settings');
  const brands = useBrands().rows;
  const make = useNewInbox();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    make.mutate({ name: String(form.get('name')), brand: String(form.get('brand')) });
  };
  const columns: Column<Schemas['Inbox']>[] = [
    { name: t('field.name'), cell: (one) => one.name },
    {
      name: t('brands.one'),
      cell: (one) => brands.find((of) => of.id === one.brand)?.display_name ?? one.brand,
    },
    { name: t('field.created'), cell: (one) => <Time at={one.created_at} />, wide: true },
  ];
  return (
    <>
      {may && brands.length > 0 && (
        <form className="flex flex-wrap items-end gap-3" onSubmit={submit}>
          <TextField name="name" required label={t('field.name')} />
          <SelectField
            name="brand"
            label={t('brands.one')}
            choices={brands.map((one) => [one.id, one.display_name] as const)}
          />
          <Button type="submit" disabled={make.isPending}>
            {t('inboxes.new')}
          </Button>
        </form>
      )}
      <ProblemNote error={make.error} />
      <List
        label={t('settings.inboxes')}
        pages={useInboxes()}
        columns={columns}
        idOf={(one) => one.id}
        empty={t('inboxes.empty')}
      />
    </>
  );
}
