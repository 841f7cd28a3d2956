import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { List } from '../../ui/List';
import type { Column } from '../../ui/Table';
import { AccountNumbers } from './AccountNumbers';
import { useAccounts } from './data';

/** The accounts at carriers, with the addresses that they call back. Secrets are never shown. */
export function Accounts() {
  const t = useT();
  const may = useMay('edit_numbers');
  const [shown, setShown] = useState<string | null>(null);
  const columns: Column<Schemas['CarrierAccount']>[] = [
    { name: t('field.name'), cell: (one) => one.account },
    { name: t('accounts.carrier'), cell: (one) => one.carrier },
    { name: t('accounts.sid'), cell: (one) => one.carrier_sid, wide: true },
    { name: t('accounts.inbound'), cell: (one) => <code>{one.inbound_webhook}</code>, wide: true },
    { name: t('field.created'), cell: (one) => <Time at={one.created_at} />, wide: true },
    {
      name: t('accounts.numbers'),
      cell: (one) =>
        may && (
          <Button className="h-7" onClick={() => setShown(one.account)}>
            {t('accounts.numbers.show')}
          </Button>
        ),
    },
  ];
  return (
    <>
      <List
        label={t('settings.accounts')}
        pages={useAccounts()}
        columns={columns}
        idOf={(one) => one.handle}
        empty={t('accounts.empty')}
      />
      {shown && <AccountNumbers account={shown} onClose={() => setShown(null)} />}
    </>
  );
}
