import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { List } from '../../ui/List';
import type { Column } from '../../ui/Table';
import { useConflicts } from './data';

/** Messages that came under a key whose first message says something else: the first stands. */
export function Conflicts() {
  const t = useT();
  const columns: Column<Schemas['MessageConflict']>[] = [
    {
      name: t('operations.message'),
      cell: (one) =>
        one.message_exists ? (
          <Link to="/why" search={{ of: one.message_id }} className="underline">
            {one.message_id}
          </Link>
        ) : (
          one.message_id
        ),
    },
    { name: t('operations.received'), cell: (one) => <Time at={one.at} /> },
  ];
  return (
    <>
      <p className="text-soft">{t('operations.conflicts.says')}</p>
      <List
        label={t('operations.conflicts')}
        pages={useConflicts()}
        columns={columns}
        idOf={(one) => one.message_id + one.at}
        empty={t('operations.conflicts.empty')}
      />
    </>
  );
}
