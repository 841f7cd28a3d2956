import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useT, type Key } from '../../i18n';
import { Time } from '../../i18n/format';
import { List } from '../../ui/List';
import type { Column } from '../../ui/Table';
import { useQuarantined } from './data';

/** Texts to numbers of the company that are none of its senders: nobody answers them. */
export function Quarantined() {
  const t = useT();
  const columns: Column<Schemas['QuarantinedText']>[] = [
    { name: t('inbox.to'), cell: (one) => <span className="font-medium">{one.to}</span> },
    { name: t('inbox.text'), cell: (one) => one.body ?? t('inbox.gone') },
    { name: t('inbox.meaning'), cell: (one) => t(`meaning.${one.meaning}` as Key), wide: true },
    {
      name: t('field.person'),
      cell: (one) => (
        <Link to="/contacts/$id" params={{ id: one.contact_id }} className="underline">
          {t('inbox.contact')}
        </Link>
      ),
    },
    { name: t('inbox.came'), cell: (one) => <Time at={one.received_at} />, wide: true },
  ];
  return (
    <>
      <p className="text-soft">{t('inbox.quarantined.says')}</p>
      <List
        label={t('inbox.quarantined')}
        pages={useQuarantined()}
        columns={columns}
        idOf={(one) => one.id}
        empty={t('inbox.quarantined.empty')}
      />
    </>
  );
}
