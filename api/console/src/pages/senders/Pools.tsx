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
import { useNewPool, usePools, useSenders } from './data';

/** The pools, each with its senders. */
export function Pools() {
  const t = useT();
  const may = useMay('edit_settings');
  const senders = useSenders().rows;
  const [adds, setAdds] = useState(false);
  const name = (id: string) => senders.find((one) => one.id === id)?.number ?? id;
  const columns: Column<Schemas['Pool']>[] = [
    { name: t('field.name'), cell: (one) => <span className="font-medium">{one.name}</span> },
    { name: t('nav.senders'), cell: (one) => one.senders.map(name).join(', ') },
  ];
  const make = may && (
    <Button kind="primary" className="self-start" onClick={() => setAdds(true)}>
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
      {adds && <NewPool senders={senders} onClose={() => setAdds(false)} />}
    </>
  );
}

function NewPool({ senders, onClose }: { senders: Schemas['Sender'][]; onClose: () => void }) {
  const t = useT();
  const make = useNewPool();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = { name: String(form.get('name') ?? ''), senders: form.getAll('sender').map(String) };
    make.mutate(body, { onSuccess: onClose });
  };
  return (
    <Dialog title={t('senders.pool.new')} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <TextField name="name" required label={t('field.name')} />
        {senders.map((one) => (
          <CheckField key={one.id} name="sender" value={one.id} label={one.number} />
        ))}
        <ProblemNote error={make.error} />
        <Button kind="primary" type="submit" disabled={make.isPending}>
          {t('act.save')}
        </Button>
      </form>
    </Dialog>
  );
}
