import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { CheckField, TextField } from '../../ui/Field';
import { List } from '../../ui/List';
import { ProblemNote } from '../../ui/Problem';
import type { Column } from '../../ui/Table';
import { toast } from '../../ui/Toast';
import { useChangePool, useNewPool, usePools, useRemovePool, useSenders } from './data';

type Pool = Schemas['Pool'];

/** The pools, each with its senders. */
export function Pools() {
  const t = useT();
  const may = useMay('edit_settings');
  const senders = useSenders().rows;
  const [open, setOpen] = useState<Pool | 'new' | null>(null);
  const name = (id: string) => senders.find((one) => one.id === id)?.number ?? id;
  const columns: Column<Pool>[] = [
    { name: t('field.name'), cell: (one) => <span className="font-medium">{one.name}</span> },
    { name: t('nav.senders'), cell: (one) => one.senders.map(name).join(', ') },
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
  const make = may && (
    <Button kind="primary" className="self-start" onClick={() => setOpen('new')}>
      {t('senders.pool.new')}
    </Button>
  );
  return (
    <>
      {make}
      <List
        label={t('senders.pools')}
        pages={usePools()}
        columns={columns}
        idOf={(one) => one.id}
        empty={t('senders.pools.empty')}
      />
      {open && <Write pool={open === 'new' ? null : open} senders={senders} onClose={() => setOpen(null)} />}
    </>
  );
}

type Props = { pool: Pool | null; senders: Schemas['Sender'][]; onClose: () => void };

/** A pool's name and its senders; the way out of one that is there. */
function Write({ pool, senders, onClose }: Props) {
  const t = useT();
  const make = useNewPool();
  const change = useChangePool();
  const remove = useRemovePool();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = { name: String(form.get('name') ?? ''), senders: form.getAll('sender').map(String) };
    if (pool) change.mutate({ id: pool.id, body }, { onSuccess: onClose });
    else make.mutate(body, { onSuccess: onClose });
  };
  const take = (one: Pool) => {
    const undo = () => make.mutate({ name: one.name, senders: one.senders });
    const onSuccess = () => {
      toast(t('senders.pool.removed', { name: one.name }), { label: t('act.undo'), run: undo });
      onClose();
    };
    remove.mutate(one.id, { onSuccess });
  };
  return (
    <Dialog
      title={pool ? t('senders.pool.change', { name: pool.name }) : t('senders.pool.new')}
      onClose={onClose}
    >
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <TextField name="name" required label={t('field.name')} defaultValue={pool?.name} />
        {senders.map((one) => (
          <CheckField
            key={one.id}
            name="sender"
            value={one.id}
            label={one.number}
            defaultChecked={pool?.senders.includes(one.id)}
          />
        ))}
        <ProblemNote error={make.error ?? change.error ?? remove.error} />
        <div className="flex justify-between gap-2">
          {pool && (
            <Button disabled={remove.isPending} onClick={() => take(pool)}>
              {t('act.remove')}
            </Button>
          )}
          <Button kind="primary" type="submit" disabled={make.isPending || change.isPending}>
            {t('act.save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
