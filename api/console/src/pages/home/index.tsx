import { useMemo } from 'react';
import { useT } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Chart } from '../../ui/Chart';
import { Figure } from '../../ui/Figure';
import { Card, Coming, Page } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { useBudgets } from '../budgets/data';
import { useDays, useMinutes } from './data';
import { Needs } from './Needs';
import { Running } from './Running';

/** Whether it flows, what it costs, and what needs a person. */
export default function Home() {
  const t = useT();
  const days = useDays();
  return (
    <Page title={t('nav.home')} sentence={days.data && <AsOf at={days.data.to} />}>
      {days.isError && <ProblemNote error={days.error} onRetry={() => void days.refetch()} />}
      <Figures days={days.data} />
      <div className="grid gap-4 lg:grid-cols-[2fr_1fr]">
        <Rate to={days.data?.to} />
        <Needs />
      </div>
      <Running />
    </Page>
  );
}

function AsOf({ at }: { at: string }) {
  const t = useT();
  return (
    <>
      {t('home.asof')} <Time at={at} />
    </>
  );
}

function Figures({ days }: { days: ReturnType<typeof useDays>['data'] }) {
  const t = useT();
  const format = useFormat();
  const budget = useBudgets().data?.data.find((one) => one.scope === 'tenant');
  const counted = (name: string) => (days ? format.number(days.today[name] ?? 0) : '–');
  const before = (name: string) => days && t('home.yesterday', { n: days.yesterday[name] ?? 0 });
  return (
    <div className="grid grid-cols-2 gap-3 lg:grid-cols-5">
      <Figure label={t('home.sent')} value={counted('sent')} beside={before('sent')} />
      <Figure label={t('home.delivered')} value={counted('delivered')} beside={before('delivered')} />
      <Figure label={t('home.replies')} value={counted('received')} beside={before('received')} />
      <Figure label={t('home.optouts')} value={counted('opt_outs')} beside={before('opt_outs')} />
      <Figure
        label={t('home.spend')}
        value={budget ? format.money(budget.spent.day.spent) : '–'}
        beside={budget?.daily ? t('home.budget', { cap: format.money(budget.daily) }) : t('home.budget.none')}
      />
    </div>
  );
}

function Rate({ to }: { to: string | undefined }) {
  const t = useT();
  const minutes = useMinutes(to);
  const points = minutes.data?.points;
  const times = useMemo(() => points?.map((point) => point.starts_at) ?? [], [points]);
  const series = useMemo(() => {
    const values = (name: string) => points?.map((point) => point.counts[name] ?? 0) ?? [];
    return [
      { label: t('state.sent'), colour: '--sent', values: values('sent') },
      { label: t('state.delivered'), colour: '--delivered', values: values('delivered') },
      { label: t('state.failed'), colour: '--failed', values: values('failed') },
    ];
  }, [points, t]);
  return (
    <Card title={t('home.rate')}>
      {!points && <Coming says={t('list.loading')} />}
      {points && points.length === 0 && <p className="text-soft">{t('home.rate.none')}</p>}
      {points && points.length > 0 && (
        <Chart
          label={t('home.rate')}
          times={times}
          series={series}
          span={[minutes.data?.from ?? '', minutes.data?.to ?? '']}
        />
      )}
    </Card>
  );
}
