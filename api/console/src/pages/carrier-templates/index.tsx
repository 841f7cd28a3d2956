import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { SelectField } from '../../ui/Field';
import { List } from '../../ui/List';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import type { Column } from '../../ui/Table';
import { toast } from '../../ui/Toast';
import { useAccounts } from '../settings/data';
import { useCarrierTemplates, useSync, type Filters } from './data';
import { Make } from './Make';
import { Shown } from './Shown';

type Template = Schemas['CarrierTemplate'];

const STATES = [
  'submitted',
  'pending',
  'approved',
  'rejected',
  'paused',
  'disabled',
  'failed',
  'other',
] as const;

/** The templates that carrier accounts keep and their carriers review. */
export function CarrierTemplates() {
  const t = useT();
  const navigate = useNavigate();
  const { account, state } = useSearch({ from: '/frame/templates' });
  const filters = { ...(account ? { account } : {}), ...(state ? { state } : {}) } as Filters;
  const change = (next: Filters) =>
    void navigate({ to: '/templates', search: { tab: 'carriers', ...next }, replace: true });
  const [shown, setShown] = useState<Template | null>(null);
  const columns: Column<Template>[] = [
    {
      name: t('field.name'),
      cell: (one) => (
        <button type="button" className="break-all underline" onClick={() => setShown(one)}>
          {one.name}
        </button>
      ),
    },
    { name: t('field.language'), cell: (one) => one.language },
    { name: t('field.state'), cell: (one) => <Pill state={one.state} /> },
    { name: t('carrier.category'), cell: (one) => one.category, wide: true },
    { name: t('carrier.quality'), cell: (one) => <Pill state={one.quality} />, wide: true },
    { name: t('carrier.account'), cell: (one) => one.account, wide: true },
    { name: t('field.created'), cell: (one) => <Time at={one.created_at} />, wide: true },
  ];
  return (
    <>
      <p className="text-soft">{t('carrier.says')}</p>
      <Bar filters={filters} change={change} />
      <List
        label={t('carrier.templates')}
        pages={useCarrierTemplates(filters)}
        columns={columns}
        idOf={(one) => one.id}
        onOpen={setShown}
        empty={t('carrier.empty')}
      />
      {shown && <Shown template={shown} onClose={() => setShown(null)} />}
    </>
  );
}

/** Which of them are shown; what brings an account's up to date; and a new one. */
function Bar({ filters, change }: { filters: Filters; change: (filters: Filters) => void }) {
  const t = useT();
  const may = useMay('edit_campaigns');
  const accounts = useAccounts().rows.map((one) => one.account);
  const sync = useSync();
  const [makes, setMakes] = useState(false);
  const account = filters.account ?? accounts[0];
  const set = (part: { account?: string; state?: string }) => {
    const next = Object.entries({ ...filters, ...part }).filter(([, value]) => value);
    change(Object.fromEntries(next) as Filters);
  };
  const bring = (of: string) =>
    sync.mutate(of, {
      onSuccess: ({ listed, added, changed, gone }) =>
        toast(t('carrier.synced', { listed, added, changed, gone })),
    });
  return (
    <>
      <div className="flex flex-wrap items-end gap-3">
        <SelectField
          label={t('carrier.account')}
          value={filters.account ?? ''}
          choices={[['', t('field.any')], ...accounts.map((one) => [one, one] as const)]}
          onChange={(e) => set({ account: e.target.value })}
        />
        <SelectField
          label={t('field.state')}
          value={filters.state ?? ''}
          choices={[['', t('field.any')], ...STATES.map((one) => [one, t(`state.${one}`)] as const)]}
          onChange={(e) => set({ state: e.target.value })}
        />
        {may && account && (
          <>
            <Button disabled={sync.isPending} onClick={() => bring(account)}>
              {t('carrier.sync', { account })}
            </Button>
            <Button kind="primary" onClick={() => setMakes(true)}>
              {t('carrier.new')}
            </Button>
          </>
        )}
      </div>
      <ProblemNote error={sync.error} />
      {makes && <Make accounts={accounts} onClose={() => setMakes(false)} />}
    </>
  );
}
