import { useSearch } from '@tanstack/react-router';
import { useT } from '../../i18n';
import { Page, Tabs } from '../../ui/Page';
import { Numbers } from '../numbers';
import { Pools } from './Pools';
import { Senders } from './Senders';

/** Where texts leave from: how each sender does, which stand in for each other, and the numbers there are. */
export default function SendersPage() {
  const t = useT();
  const { tab = 'senders' } = useSearch({ from: '/frame/senders' });
  const tabs: [string, string][] = [
    ['senders', t('nav.senders')],
    ['pools', t('senders.pools')],
    ['numbers', t('numbers.title')],
  ];
  return (
    <Page title={t('nav.senders')}>
      <Tabs tabs={tabs} now={tab} label={t('nav.senders')} />
      {tab === 'senders' && <Senders />}
      {tab === 'pools' && <Pools />}
      {tab === 'numbers' && <Numbers />}
    </Page>
  );
}
