import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useT, type Key } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Button, pressed } from '../../ui/Button';
import { List } from '../../ui/List';
import { Card } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import type { Column } from '../../ui/Table';
import { useCsv, useRecipients } from './data';

/** The people behind a bar, each with why. */
export function Recipients({ id, state }: { id: string; state: string }) {
  const t = useT();
  const format = useFormat();
  const pages = useRecipients(id, state);
  const csv = useCsv(id, state);
  const columns: Column<Schemas['Message']>[] = [
    {
      name: t('field.person'),
      cell: (one) => (
        <Link to="/why" search={{ of: one.id }} className="underline">
          {one.to}
        </Link>
      ),
    },
    { name: t('field.state'), cell: (one) => <Pill state={one.status} /> },
    { name: t('field.reason'), cell: (one) => one.sentence },
    { name: t('field.variant'), cell: (one) => one.variant, wide: true },
    { name: t('field.segments'), cell: (one) => format.number(one.segments), number: true, wide: true },
    { name: t('field.cost'), cell: (one) => format.money(one.cost), number: true, wide: true },
    { name: t('field.changed'), cell: (one) => <Time at={one.changed_at} />, wide: true },
  ];
  return (
    <Card
      title={t('recipients.title', { state: t(`state.${state}` as Key) })}
      aside={
        <span className="flex gap-2">
          <Link to="/campaigns/$id" params={{ id }} className={pressed('plain')}>
            {t('recipients.close')}
          </Link>
          <Button disabled={csv.isPending} onClick={() => csv.mutate()}>
            {t('recipients.csv')}
          </Button>
        </span>
      }
    >
      <ProblemNote error={csv.error} />
      <List
        label={t('recipients.title', { state: t(`state.${state}` as Key) })}
        pages={pages}
        columns={columns}
        idOf={(one) => one.id}
        empty={t('recipients.none')}
      />
    </Card>
  );
}
