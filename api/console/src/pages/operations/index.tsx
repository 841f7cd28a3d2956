import { useSearch } from '@tanstack/react-router';
import { useT } from '../../i18n';
import { Page, Tabs } from '../../ui/Page';
import { Conflicts } from './Conflicts';
import { Doubts } from './Doubts';
import { Now } from './Now';
import { Unmatched } from './Unmatched';

/** For who looks after the company's traffic: whether it flows, and what somebody has to look into. */
export default function Operations() {
  const t = useT();
  const { tab = 'now' } = useSearch({ from: '/frame/operations' });
  const tabs: [string, string][] = [
    ['now', t('operations.now')],
    ['doubts', t('operations.doubts')],
    ['unmatched', t('operations.unmatched')],
    ['conflicts', t('operations.conflicts')],
  ];
  return (
    <Page title={t('nav.operations')} sentence={t('operations.says')}>
      <Tabs tabs={tabs} now={tab} label={t('nav.operations')} />
      {tab === 'now' && <Now />}
      {tab === 'doubts' && <Doubts />}
      {tab === 'unmatched' && <Unmatched />}
      {tab === 'conflicts' && <Conflicts />}
    </Page>
  );
}
