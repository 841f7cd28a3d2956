import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useT } from '../../i18n';
import type { Schemas } from '../../api/client';
import { Card } from '../../ui/Page';
import { useBudgets, useSwitches } from '../budgets/data';
import { useCampaigns } from '../campaigns/data';
import { useOpenReviews } from '../compliance/data';
import { useAttention } from '../inbox/data';
import { useSenders } from '../senders/data';
import { useDoubts } from './data';

/** Four fifths of a cap are spent: somebody should know before the rest is. */
const isNear = (spent: Schemas['Money'], cap: Schemas['Money'] | null) =>
  cap !== null && Number(spent.amount) >= Number(cap.amount) * 0.8;

/** What needs a person, each with the way to it. */
export function Needs() {
  const t = useT();
  const doubts = useDoubts().data?.data ?? [];
  const switches = useSwitches().data?.data.filter((one) => one.scope !== 'campaign') ?? [];
  const reviews = useOpenReviews().data?.data ?? [];
  const attention = useAttention().data?.data ?? [];
  const paused = useCampaigns().rows.filter((one) => one.state === 'paused');
  const senders = useSenders().rows;
  const near = (useBudgets().data?.data ?? []).filter(
    (one) => isNear(one.spent.day.spent, one.daily) || isNear(one.spent.month.spent, one.monthly),
  );
  const unusable = senders.filter((one) => !one.usable);
  const resting = senders.filter((one) => one.health && one.health.state !== 'healthy');

  const items: [string, ReactNode][] = [];
  for (const one of doubts) {
    items.push([
      `doubt ${one.message_id}`,
      <Link key="why" to="/why" search={{ of: one.message_id }} className="underline">
        {t('home.needs.doubt')}
      </Link>,
    ]);
  }
  if (reviews.length > 0) {
    items.push([
      'reviews',
      <Link key="reviews" to="/compliance" search={{ tab: 'reviews' }} className="underline">
        {t('home.needs.reviews')}
      </Link>,
    ]);
  }
  if (attention.length > 0) {
    items.push([
      'attention',
      <Link key="inbox" to="/inbox" search={{ attention: 'true' }} className="underline">
        {t('home.needs.attention')}
      </Link>,
    ]);
  }
  for (const one of paused) {
    items.push([
      `paused ${one.id}`,
      <Link key="campaign" to="/campaigns/$id" params={{ id: one.id }} className="underline">
        {t('home.needs.paused', { name: one.name })}
      </Link>,
    ]);
  }
  if (switches.length > 0) {
    items.push([
      'switches',
      <Link key="budgets" to="/budgets" className="underline">
        {t('home.needs.switches')}
      </Link>,
    ]);
  }
  if (near.length > 0) {
    items.push([
      'near',
      <Link key="near" to="/budgets" className="underline">
        {t('home.needs.near')}
      </Link>,
    ]);
  }
  for (const one of unusable) {
    items.push([
      `sender ${one.id}`,
      <Link key="senders" to="/senders" className="underline">
        {t('home.needs.sender', { number: one.number })}
      </Link>,
    ]);
  }
  for (const one of resting) {
    items.push([
      `resting ${one.id}`,
      <Link key="resting" to="/senders" className="underline">
        {t('home.needs.resting', { number: one.number })}
      </Link>,
    ]);
  }
  return (
    <Card title={t('home.needs')}>
      {items.length === 0 && <p className="text-soft">{t('home.needs.none')}</p>}
      <ul className="flex flex-col gap-2">
        {items.map(([key, item]) => (
          <li key={key}>{item}</li>
        ))}
      </ul>
    </Card>
  );
}
