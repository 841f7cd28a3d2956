import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { SelectField } from '../../ui/Field';
import { List } from '../../ui/List';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import type { Column } from '../../ui/Table';
import { toast } from '../../ui/Toast';
import { useAccounts } from '../settings/data';
import { useImport, useNumbers } from './data';
import { NumberDialog } from './NumberDialog';
import { Order } from './Order';

type Number = Schemas['Number'];

/** The numbers that the company has at its carriers: what each carries and costs. */
export function Numbers() {
  const t = useT();
  const format = useFormat();
  const may = useMay('edit_numbers');
  const pages = useNumbers();
  const [open, setOpen] = useState<string | null>(null);
  const shown = pages.rows.find((one) => one.id === open);
  const columns: Column<Number>[] = [
    {
      name: t('numbers.one'),
      cell: (one) => (
        <button type="button" className="font-medium underline" onClick={() => setOpen(one.id)}>
          {one.number}
        </button>
      ),
    },
    { name: t('field.state'), cell: (one) => <Pill state={one.active ? 'active' : one.state} /> },
    { name: t('numbers.used'), cell: (one) => format.number(one.used_30_days), number: true },
    {
      name: t('field.segments'),
      cell: (one) => format.number(one.segments_30_days),
      number: true,
      wide: true,
    },
    { name: t('numbers.spent'), cell: (one) => format.money(one.spent_30_days), number: true, wide: true },
    { name: t('numbers.monthly'), cell: (one) => format.money(one.monthly_cost), number: true, wide: true },
    { name: t('carrier.account'), cell: (one) => one.account, wide: true },
    { name: t('field.country'), cell: (one) => one.country, wide: true },
  ];
  return (
    <>
      {may && <Bar />}
      <List
        label={t('numbers.title')}
        pages={pages}
        columns={columns}
        idOf={(one) => one.id}
        onOpen={(one) => setOpen(one.id)}
        empty={t('numbers.empty')}
      />
      {shown && <NumberDialog number={shown} onClose={() => setOpen(null)} />}
    </>
  );
}

/** Takes over what an account has, and looks for more. */
function Bar() {
  const t = useT();
  const accounts = useAccounts().rows.map((one) => one.account);
  const bring = useImport();
  const [chosen, setChosen] = useState('');
  const [orders, setOrders] = useState(false);
  const account = chosen || accounts[0];
  if (!account) return null;
  const run = () =>
    bring.mutate(account, {
      onSuccess: ({ listed, added, settled, gone }) =>
        toast(t('numbers.imported', { listed, added, settled, gone })),
    });
  return (
    <>
      <div className="flex flex-wrap items-end gap-3">
        <SelectField
          label={t('carrier.account')}
          value={account}
          choices={accounts.map((one) => [one, one] as const)}
          onChange={(e) => setChosen(e.target.value)}
        />
        <Button disabled={bring.isPending} onClick={run}>
          {t('numbers.import')}
        </Button>
        <Button kind="primary" onClick={() => setOrders(true)}>
          {t('numbers.search')}
        </Button>
      </div>
      <ProblemNote error={bring.error} />
      {orders && <Order account={account} onClose={() => setOrders(false)} />}
    </>
  );
}
