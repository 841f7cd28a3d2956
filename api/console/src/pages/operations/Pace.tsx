import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { List } from '../../ui/List';
import { Card } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import type { Column } from '../../ui/Table';
import { useSenders } from '../senders/data';

type Sender = Schemas['Sender'];

/** How fast each sender may go, what it has carried of its day, and whether it is in traffic. */
export function Pace() {
  const t = useT();
  const format = useFormat();
  const columns: Column<Sender>[] = [
    {
      name: t('senders.number'),
      cell: (one) => (
        <Link to="/senders" className="font-medium underline">
          {one.number}
        </Link>
      ),
    },
    {
      name: t('health.title'),
      cell: (one) => <Pill state={one.usable ? (one.health?.state ?? 'gone') : 'disabled'} />,
    },
    { name: t('senders.pace'), cell: (one) => format.number(one.pace), number: true },
    { name: t('operations.carried'), cell: (one) => format.number(one.warmup?.used), number: true },
    {
      name: t('operations.may'),
      cell: (one) => format.number(one.warmup?.limit_today),
      number: true,
      wide: true,
    },
    { name: t('health.rests'), cell: (one) => <Time at={one.health?.rests_until} />, wide: true },
  ];
  return (
    <Card title={t('operations.pace')}>
      <List
        label={t('operations.pace')}
        pages={useSenders()}
        columns={columns}
        idOf={(one) => one.id}
        empty={t('senders.empty')}
      />
    </Card>
  );
}
