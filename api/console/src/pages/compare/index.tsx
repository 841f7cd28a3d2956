import { Link, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useT, type Key } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Coming, Empty, Page } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { MOST, useCompared, type Compared } from './data';

/** Campaigns beside each other: whom they reached, what came back, what they cost. */
export default function Compare() {
  const t = useT();
  const { ids = '' } = useSearch({ from: '/frame/campaigns/compare' });
  const found = useCompared([...new Set(ids.split(',').filter(Boolean))].slice(0, MOST));
  const error = found.find((one) => one.error)?.error;
  const all = found.map((one) => one.data).filter((one) => one !== undefined);
  return (
    <Page title={t('compare.title')}>
      <ProblemNote error={error} />
      {found.length < 2 && (
        <Empty says={t('compare.few')}>
          <Link to="/campaigns" className="underline">
            {t('nav.campaigns')}
          </Link>
        </Empty>
      )}
      {found.length >= 2 && !error && all.length < found.length && (
        <Coming says={t('list.loading')} rows={8} />
      )}
      {all.length >= 2 && all.length === found.length && <Beside all={all} />}
    </Page>
  );
}

const STATES = ['delivered', 'read', 'failed', 'blocked', 'unknown'] as const;

function Beside({ all }: { all: Compared[] }) {
  const t = useT();
  const format = useFormat();
  const rows: [string, (one: Compared) => ReactNode][] = [
    [t('field.state'), (one) => <Pill state={one.campaign.state} />],
    [t('field.class'), (one) => t(`class.${one.campaign.class}` as Key)],
    [t('field.started'), (one) => <Time at={one.campaign.started_at} />],
    [t('field.completed'), (one) => <Time at={one.campaign.completed_at} />],
    [t('campaigns.audience'), (one) => format.number(one.campaign.audience_size)],
    ...STATES.map((state): [string, (one: Compared) => ReactNode] => [
      t(`state.${state}`),
      (one) => (
        <Link to="/campaigns/$id" params={{ id: one.campaign.id }} search={{ state }} className="underline">
          {format.number(one.totals[state] ?? 0)}
        </Link>
      ),
    ]),
    [t('home.replies'), (one) => format.number(one.ledger.replies)],
    [t('home.optouts'), (one) => format.number(one.ledger.opt_outs)],
    [t('field.segments'), (one) => format.number(one.ledger.segments)],
    [t('field.cost'), (one) => format.money(one.ledger.cost)],
  ];
  return (
    <div
      role="region"
      aria-label={t('compare.title')}
      tabIndex={0}
      className="overflow-x-auto rounded-md border border-line bg-sheet"
    >
      <table className="w-full border-collapse text-xs" data-testid="compared">
        <thead>
          <tr className="h-9 border-b border-line">
            <td />
            {all.map(({ campaign }) => (
              <th key={campaign.id} scope="col" className="px-3 text-right">
                <Link to="/campaigns/$id" params={{ id: campaign.id }} className="underline">
                  {campaign.name}
                </Link>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, cell]) => (
            <tr key={name} className="h-9 border-b border-line last:border-0">
              <th scope="row" className="px-3 text-left font-medium text-soft">
                {name}
              </th>
              {all.map((one) => (
                <td key={one.campaign.id} className="px-3 text-right">
                  {cell(one)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
