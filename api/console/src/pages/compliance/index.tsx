import { useSearch } from '@tanstack/react-router';
import { useT } from '../../i18n';
import { Page, Tabs } from '../../ui/Page';
import { Audit } from './Audit';
import { DoNotContact } from './DoNotContact';
import { Policy } from './Policy';
import { QuietHours } from './QuietHours';
import { Reviews } from './Reviews';
import { Suppressions } from './Suppressions';

/** Who must not be written to, by which rules, and who changed what. */
export default function Compliance() {
  const t = useT();
  const { tab = 'dnc', phone } = useSearch({ from: '/frame/compliance' });
  const tabs: [string, string][] = [
    ['dnc', t('compliance.dnc')],
    ['reviews', t('compliance.reviews')],
    ['suppressions', t('compliance.suppressions')],
    ['hours', t('hours.title')],
    ['policy', t('compliance.policy')],
    ['audit', t('compliance.audit')],
  ];
  return (
    <Page title={t('nav.compliance')}>
      <Tabs tabs={tabs} now={tab} label={t('nav.compliance')} />
      {tab === 'dnc' && <DoNotContact phone={phone} />}
      {tab === 'reviews' && <Reviews phone={phone} />}
      {tab === 'suppressions' && <Suppressions phone={phone} />}
      {tab === 'hours' && <QuietHours />}
      {tab === 'policy' && <Policy />}
      {tab === 'audit' && <Audit />}
    </Page>
  );
}
