import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT, type Key } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { pressed } from '../../ui/Button';
import { SelectField } from '../../ui/Field';
import { List } from '../../ui/List';
import { Page } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import type { Column } from '../../ui/Table';
import { useCampaigns } from './data';

const STATES = ['draft', 'starting', 'running', 'paused', 'stopped', 'completed'];

/** All campaigns. */
export default function Campaigns() {
  const t = useT();
  const format = useFormat();
  const navigate = useNavigate();
  const may = useMay('edit_campaigns');
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const { state } = useSearch({ from: '/frame/campaigns' });
  const pages = useCampaigns();
  const rows = state ? pages.rows.filter((one) => one.state === state) : pages.rows;
  const make = (
    <Link to="/campaigns/new" className={pressed('primary')}>
      {t('campaigns.new')}
    </Link>
  );
  const actions = (
    <>
      {ids.size > 1 && (
        <Link to="/campaigns/compare" search={{ ids: [...ids].join(',') }} className={pressed()}>
          {t('compare.these', { n: ids.size })}
        </Link>
      )}
      {may && make}
    </>
  );
  const columns: Column<Schemas['Campaign']>[] = [
    {
      name: t('campaigns.name'),
      cell: (one) => (
        <Link to="/campaigns/$id" params={{ id: one.id }} className="font-medium underline">
          {one.name}
        </Link>
      ),
    },
    { name: t('field.state'), cell: (one) => <Pill state={one.state} /> },
    { name: t('field.class'), cell: (one) => t(`class.${one.class}` as Key), wide: true },
    { name: t('campaigns.audience'), cell: (one) => format.number(one.audience_size), number: true },
    { name: t('field.started'), cell: (one) => <Time at={one.started_at} />, wide: true },
    { name: t('field.created'), cell: (one) => <Time at={one.created_at} />, wide: true },
  ];
  const choices = [['', t('field.any')], ...STATES.map((one) => [one, t(`state.${one}` as Key)])];
  return (
    <Page title={t('nav.campaigns')} actions={actions}>
      <div className="w-44">
        <SelectField
          label={t('field.state')}
          value={state ?? ''}
          choices={choices as [string, string][]}
          onChange={(e) => void navigate({ to: '.', search: { state: e.target.value }, replace: true })}
        />
      </div>
      <List
        label={t('nav.campaigns')}
        pages={{ ...pages, rows } as typeof pages}
        columns={columns}
        idOf={(one) => one.id}
        picked={{ ids, onChange: setIds }}
        onOpen={(one) => void navigate({ to: '/campaigns/$id', params: { id: one.id } })}
        empty={t('campaigns.empty')}
        next={may && make}
      />
    </Page>
  );
}
