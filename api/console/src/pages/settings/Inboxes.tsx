import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { CheckField, SelectField, TextField } from '../../ui/Field';
import { List } from '../../ui/List';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import type { Column } from '../../ui/Table';
import { useBrands, useChangeInbox, useInboxes, useNewInbox } from './data';

/** Where the conversations of a brand go. */
export function Inboxes() {
  const t = useT();
  const may = useMay('edit_settings');
  const brands = useBrands().rows;
  const make = useNewInbox();
  const [open, setOpen] = useState<Schemas['Inbox'] | null>(null);
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
    {
      name: t('field.state'),
      cell: (one) => <Pill state={one.archived_at ? 'archived' : 'on'} />,
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
      {open && <Change inbox={open} onClose={() => setOpen(null)} />}
    </>
  );
}

/** What an inbox is called, and whether anybody looks into it. */
function Change({ inbox, onClose }: { inbox: Schemas['Inbox']; onClose: () => void }) {
  const t = useT();
  const change = useChangeInbox();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = { name: String(form.get('name') ?? '').trim(), archived: form.has('archived') };
    change.mutate({ id: inbox.id, body }, { onSuccess: onClose });
  };
  return (
    <Dialog title={t('inboxes.change', { name: inbox.name })} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <TextField name="name" required label={t('field.name')} defaultValue={inbox.name} />
        <CheckField
          name="archived"
          label={t('inboxes.archived')}
          defaultChecked={inbox.archived_at !== null}
        />
        <ProblemNote error={change.error} />
        <Button kind="primary" type="submit" disabled={change.isPending}>
          {t('act.save')}
        </Button>
      </form>
    </Dialog>
  );
}
