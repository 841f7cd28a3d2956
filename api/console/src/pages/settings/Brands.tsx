import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { List } from '../../ui/List';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import type { Column } from '../../ui/Table';
import { BrandDialog } from './BrandDialog';
import { useBrands, useNewBrand } from './data';

/** The names that the company writes under. */
export function Brands() {
  const t = useT();
  const may = useMay('edit_settings');
  const make = useNewBrand();
  const [open, setOpen] = useState<Schemas['Brand'] | null>(null);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    make.mutate({ name: String(new FormData(event.currentTarget).get('name')) });
  };
  const columns: Column<Schemas['Brand']>[] = [
    {
      name: t('field.name'),
      cell: (one) => (
        <span className="flex items-center gap-2">
          <svg aria-hidden="true" width="12" height="12">
            <rect width="12" height="12" rx="3" fill={one.colour} />
          </svg>
          {one.display_name}
          {one.archived_at && <Pill state="archived" />}
        </span>
      ),
    },
    {
      name: t('brands.registration'),
      cell: (one) => one.registration && <Pill state={one.registration.state} />,
    },
    { name: t('field.created'), cell: (one) => <Time at={one.created_at} />, wide: true },
    {
      name: t('field.act'),
      cell: (one) =>
        may && (
          <Button className="h-7" onClick={() => setOpen(one)}>
            {t('act.edit')}
          </Button>
        ),
    },
  ];
  return (
    <>
      {may && (
        <form className="flex flex-wrap items-end gap-3" onSubmit={submit}>
          <TextField name="name" required label={t('field.name')} />
          <Button type="submit" disabled={make.isPending}>
            {t('brands.new')}
          </Button>
        </form>
      )}
      <ProblemNote error={make.error} />
      <List
        label={t('settings.brands')}
        pages={useBrands()}
        columns={columns}
        idOf={(one) => one.id}
        empty={t('brands.empty')}
      />
      {open && <BrandDialog brand={open} onClose={() => setOpen(null)} />}
    </>
  );
}
