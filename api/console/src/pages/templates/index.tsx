import { Link, useNavigate } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { pressed } from '../../ui/Button';
import { List } from '../../ui/List';
import { Page } from '../../ui/Page';
import type { Column } from '../../ui/Table';
import { useTemplates } from './data';

/** All templates. */
export default function Templates() {
  const t = useT();
  const format = useFormat();
  const navigate = useNavigate();
  const may = useMay('edit_campaigns');
  const make = (
    <Link to="/templates/$id" params={{ id: 'new' }} className={pressed('primary')}>
      {t('templates.new')}
    </Link>
  );
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
    <Page title={t('nav.templates')} actions={may && make}>
      <List
        label={t('nav.templates')}
        pages={useTemplates()}
        columns={columns}
        idOf={(one) => one.id}
        onOpen={(one) => void navigate({ to: '/templates/$id', params: { id: one.id } })}
        empty={t('templates.empty')}
        next={may && make}
      />
    </Page>
  );
}
