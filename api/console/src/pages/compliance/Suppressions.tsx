import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { List } from '../../ui/List';
import type { Column } from '../../ui/Table';
import { useSuppressions } from './data';
import { PhoneFilter } from './PhoneFilter';

/** Who got marketing lately. */
export function Suppressions({ phone }: { phone: string | undefined }) {
  const t = useT();
  const columns: Column<Schemas['Suppression']>[] = [
    { name: t('field.phone'), cell: (one) => one.phone },
    { name: t('suppressions.last'), cell: (one) => <Time at={one.last_promo_at} /> },
    { name: t('suppressions.until'), cell: (one) => <Time at={one.until} /> },
  ];
  return (
    <>
      <PhoneFilter tab="suppressions" phone={phone} />
      <List
        label={t('compliance.suppressions')}
        pages={useSuppressions(phone)}
        columns={columns}
        idOf={(one) => one.phone + one.channel}
        empty={t('suppressions.empty')}
      />
    </>
  );
}
