import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { List } from '../../ui/List';
import { Pill } from '../../ui/Pill';
import type { Column } from '../../ui/Table';
import { useUnmatched } from './data';

/** What carriers reported about messages that are not here. */
export function Unmatched() {
  const t = useT();
  const columns: Column<Schemas['UnmatchedReceipt']>[] = [
    { name: t('operations.message'), cell: (one) => one.message_id },
    { name: t('field.state'), cell: (one) => <Pill state={one.status} /> },
    { name: t('carrier.account'), cell: (one) => one.account, wide: true },
    { name: t('accounts.sid'), cell: (one) => one.carrier_id, wide: true },
    { name: t('field.reason'), cell: (one) => one.code, wide: true },
    { name: t('operations.received'), cell: (one) => <Time at={one.received_at} /> },
  ];
  return (
    <>
      <p className="text-soft">{t('operations.unmatched.says')}</p>
      <List
        label={t('operations.unmatched')}
        pages={useUnmatched()}
        columns={columns}
        idOf={(one) => one.id}
        empty={t('operations.unmatched.empty')}
      />
    </>
  );
}
