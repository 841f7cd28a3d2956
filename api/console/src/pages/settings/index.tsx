import { useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMay, useSession } from '../../api/me';
import { useT } from '../../i18n';
import { Page, Tabs } from '../../ui/Page';
import { Assistant } from '../assistant';
import { Accounts } from './Accounts';
import { Brands } from './Brands';
import { Canned } from './Canned';
import { Company } from './Company';
import { Consumers } from './Consumers';
import { Inboxes } from './Inboxes';
import { Keys } from './Keys';
import { Me } from './Me';
import { People } from './People';
import { WhatsappRates } from './Rates';

/** How the company is set up: what a role may not see is not there. */
export default function Settings() {
  const t = useT();
  const { tab } = useSearch({ from: '/frame/settings' });
  const mayPeople = useMay('manage_people');
  const mayKeys = useMay('manage_keys');
  const isPerson = useSession()?.kind === 'person';
  const all: [string, string, ReactNode, boolean][] = [
    ['company', t('settings.company'), <Company key="company" />, true],
    ['people', t('settings.people'), <People key="people" />, mayPeople],
    ['keys', t('settings.keys'), <Keys key="keys" />, mayKeys],
    ['consumers', t('settings.consumers'), <Consumers key="consumers" />, mayKeys],
    ['brands', t('settings.brands'), <Brands key="brands" />, true],
    ['inboxes', t('settings.inboxes'), <Inboxes key="inboxes" />, true],
    ['canned', t('settings.canned'), <Canned key="canned" />, true],
    ['assistant', t('settings.assistant'), <Assistant key="assistant" />, true],
    ['rates', t('settings.rates'), <WhatsappRates key="rates" />, true],
    ['accounts', t('settings.accounts'), <Accounts key="accounts" />, true],
    ['me', t('settings.me'), <Me key="me" />, isPerson],
  ];
  const shown = all.filter(([, , , may]) => may);
  const now = shown.find(([name]) => name === tab) ?? shown[0];
  const tabs = shown.map(([name, text]): [string, string] => [name, text]);
  return (
    <Page title={t('nav.settings')}>
      <Tabs tabs={tabs} now={now?.[0] ?? ''} label={t('nav.settings')} />
      {now?.[2]}
    </Page>
  );
}
