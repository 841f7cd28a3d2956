import { useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT, type Key } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { useLive } from '../../live';
import { Chart } from '../../ui/Chart';
import { Facts } from '../../ui/Facts';
import { Figure } from '../../ui/Figure';
import { Card, Coming, Page } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { Acts } from './Acts';
import { useCampaign, useLedger, useSeries, useTotals } from './data';
import { Funnel } from './Funnel';
import { Recipients } from './Recipients';
import { Simulation } from './Simulation';
import { Variants } from './Variants';

/** One campaign: where its people are, what it costs, and what can be done. */
export default function CampaignPage() {
  const t = useT();
  const { id } = useParams({ from: '/frame/campaigns/$id' });
  const { state } = useSearch({ from: '/frame/campaigns/$id' });
  const campaign = useCampaign(id);
  const may = useMay('edit_campaigns');
  if (campaign.isError) return <ProblemNote error={campaign.error} />;
  if (!campaign.data) return <Coming says={t('list.loading')} rows={8} />;
  const one = campaign.data;
  return (
    <Page
      title={one.name}
      pill={<Pill state={one.state} />}
      sentence={t(`campaign.is.${one.state}` as Key)}
      actions={may && <Acts campaign={one} />}
    >
      {one.state === 'draft' ? <Draft campaign={one} /> : <Launched campaign={one} state={state} />}
    </Page>
  );
}

function Draft({ campaign }: { campaign: Schemas['Campaign'] }) {
  const t = useT();
  return (
    <Card title={t('check.title')}>
      <Simulation id={campaign.id} />
    </Card>
  );
}

function Launched({ campaign, state }: { campaign: Schemas['Campaign']; state: string | undefined }) {
  const t = useT();
  const format = useFormat();
  useLive(`campaign:${campaign.id}`);
  const totals = useTotals(campaign.id);
  const ledger = useLedger(campaign.id).data;
  return (
    <>
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Figure label={t('campaigns.audience')} value={format.number(campaign.audience_size)} />
        <Figure label={t('field.cost')} value={format.money(ledger?.cost)} />
        <Figure label={t('home.replies')} value={format.number(ledger?.replies)} />
        <Figure label={t('home.optouts')} value={format.number(ledger?.opt_outs)} />
      </div>
      <Card title={t('campaign.where')}>
        <ProblemNote error={totals.error} />
        {totals.data ? (
          <Funnel campaign={campaign} totals={totals.data} />
        ) : (
          <Coming says={t('list.loading')} />
        )}
      </Card>
      {state && <Recipients id={campaign.id} state={state} />}
      <Rate campaign={campaign} />
      {ledger && <Variants ledger={ledger} />}
      <Card title={t('campaign.facts')}>
        <Facts
          facts={[
            [t('field.class'), t(`class.${campaign.class}` as Key)],
            [
              t('campaign.tags'),
              campaign.audience.all ? t('builder.everyone') : campaign.audience.tags?.join(', '),
            ],
            [t('field.started'), <Time key="at" at={campaign.started_at} />],
            [t('field.completed'), <Time key="at" at={campaign.completed_at} />],
            [t('campaign.next'), ledger?.next_due && <Time key="at" at={ledger.next_due} />],
            [t('campaign.balanced'), ledger && (ledger.balanced ? t('field.yes') : t('field.no'))],
          ]}
        />
      </Card>
    </>
  );
}

function Rate({ campaign }: { campaign: Schemas['Campaign'] }) {
  const t = useT();
  const points = useSeries(campaign).data?.points;
  const times = useMemo(() => points?.map((point) => point.starts_at) ?? [], [points]);
  const series = useMemo(() => {
    const values = (name: string) => points?.map((point) => point.counts[name] ?? 0) ?? [];
    return [
      { label: t('state.sent'), colour: '--sent', values: values('sent') },
      { label: t('state.delivered'), colour: '--delivered', values: values('delivered') },
    ];
  }, [points, t]);
  if (times.length < 2) return null;
  return (
    <Card title={t('campaign.rate')}>
      <Chart label={t('campaign.rate')} times={times} series={series} />
    </Card>
  );
}
