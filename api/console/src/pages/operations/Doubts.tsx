import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { List } from '../../ui/List';
import type { Column } from '../../ui/Table';
import { useAllDoubts } from './data';

/** Messages whose carrier has not said whether it has them, and when it is asked next. */
export function Doubts() {
  const t = useT();
  const format = useFormat();
  const columns: Column<Schemas['MessageInDoubt']>[] = [
    {
      name: t('operations.message'),
      cell: (one) => (
        <Link to="/why" search={{ of: one.message_id }} className="underline">
          {one.message_id}
        </Link>
      ),
    },
    { name: t('dnc.since'), cell: (one) => <Time at={one.since} /> },
    { name: t('carrier.account'), cell: (one) => one.account, wide: true },
    { name: t('field.reason'), cell: (one) => one.code?.replaceAll('_', ' '), wide: true },
    { name: t('operations.looks'), cell: (one) => format.number(one.looks), number: true, wide: true },
    { name: t('operations.next'), cell: (one) => <Time at={one.next_look} /> },
  ];
  return (
    <>
      <p className="text-soft">{t('operations.doubts.says')}</p>
      <List
        label={t('operations.doubts')}
        pages={useAllDoubts()}
        columns={columns}
        idOf={(one) => one.message_id}
        empty={t('operations.doubts.empty')}
      />
    </>
  );
}
