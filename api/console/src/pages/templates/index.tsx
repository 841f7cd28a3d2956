import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { pressed } from '../../ui/Button';
import { List } from '../../ui/List';
import { Page, Tabs } from '../../ui/Page';
import type { Column } from '../../ui/Table';
import { CarrierTemplates } from '../carrier-templates';
import { useTemplates } from './data';

/** All templates: the company's own, and those that carriers keep and review. */
export default function Templates() {
  const t = useT();
  const may = useMay('edit_campaigns');
  const { tab = 'own' } = useSearch({ from: '/frame/templates' });
  const tabs: [string, string][] = [
    ['own', t('templates.own')],
    ['carriers', t('carrier.templates')],
  ];
  return (
    <Page title={t('nav.templates')} actions={tab === 'own' && may && <New />}>
      <Tabs tabs={tabs} now={tab} label={t('nav.templates')} />
      {tab === 'carriers' ? <CarrierTemplates /> : <Own />}
    </Page>
  );
}

function New() {
  const t = useT();
  return (
    <Link to="/templates/$id" params={{ id: 'new' }} className={pressed('primary')}>
      {t('templates.new')}
    </Link>
  );
}

/** The company's own templates. */
function Own() {
  const t = useT();
  const format = useFormat();
  const navigate = useNavigate();
  const may = useMay('edit_campaigns');
  const columns: Column<Schemas['Template']>[] = [
    {
      name: t('field.name'),
      cell: (one) => (
        <Link to="/templates/$id" params={{ id: one.id }} className="underline">
          {one.name}
        </Link>
      ),
    },
    { name: t('templates.version'), cell: (one) => format.number(one.version), number: true },
    { name: t('campaign.variants'), cell: (one) => one.variants.map((variant) => variant.key).join(', ') },
    { name: t('field.created'), cell: (one) => <Time at={one.created_at} />, wide: true },
  ];
  return (
    <List
      label={t('nav.templates')}
      pages={useTemplates()}
      columns={columns}
      idOf={(one) => one.id}
      onOpen={(one) => void navigate({ to: '/templates/$id', params: { id: one.id } })}
      empty={t('templates.empty')}
      next={may && <New />}
    />
  );
}
