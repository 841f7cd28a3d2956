import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { List } from '../../ui/List';
import type { Column } from '../../ui/Table';
import { AccountDialog } from './AccountDialog';
import { AccountNumbers } from './AccountNumbers';
import { useAccounts } from './data';
import { NewAccount } from './NewAccount';

type Account = Schemas['CarrierAccount'];

/** The accounts at carriers, with the addresses that they call back. Secrets are never shown. */
export function Accounts() {
  const t = useT();
  const may = useMay('edit_settings');
  const mayNumbers = useMay('edit_numbers');
  const [open, setOpen] = useState<Account | 'new' | null>(null);
  const [shown, setShown] = useState<string | null>(null);
  const columns: Column<Account>[] = [
    { name: t('field.name'), cell: (one) => one.account },
    { name: t('accounts.carrier'), cell: (one) => one.carrier },
    { name: t('accounts.sid'), cell: (one) => one.carrier_sid, wide: true },
    { name: t('accounts.inbound'), cell: (one) => <code>{one.inbound_webhook}</code>, wide: true },
    { name: t('field.created'), cell: (one) => <Time at={one.created_at} />, wide: true },
    {
      name: t('field.act'),
      cell: (one) => (
        <span className="flex gap-1">
          {mayNumbers && (
            <Button className="h-7" onClick={() => setShown(one.account)}>
              {t('accounts.numbers.show')}
            </Button>
          )}
          {may && (
            <Button className="h-7" onClick={() => setOpen(one)}>
              {t('act.edit')}
            </Button>
          )}
        </span>
      ),
    },
  ];
  return (
    <>
      {may && (
        <Button kind="primary" className="self-start" onClick={() => setOpen('new')}>
          {t('accounts.new')}
        </Button>
      )}
      <List
        label={t('settings.accounts')}
        pages={useAccounts()}
        columns={columns}
        idOf={(one) => one.handle}
        empty={t('accounts.empty')}
      />
      {open === 'new' && <NewAccount onClose={() => setOpen(null)} />}
      {open && open !== 'new' && <AccountDialog account={open} onClose={() => setOpen(null)} />}
      {shown && <AccountNumbers account={shown} onClose={() => setShown(null)} />}
    </>
  );
}
