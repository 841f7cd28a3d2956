import { useSearch } from '@tanstack/react-router';
import { useT } from '../../i18n';
import { Page, Tabs } from '../../ui/Page';
import { Pools } from './Pools';
import { Senders } from './Senders';

/** Where texts leave from: how far each sender is warmed up, and which stand in for each other. */
export default function SendersPage() {
  const t = useT();
  const { tab = 'senders' } = useSearch({ from: '/frame/senders' });
  const tabs: [string, string][] = [
    ['senders', t('nav.senders')],
    ['pools', t('senders.pools')],
  ];
  return (
    <Page title={t('nav.senders')}>
      <Tabs tabs={tabs} now={tab} label={t('nav.senders')} />
      {tab === 'pools' ? <Pools /> : <Senders />}
    </Page>
  );
}
