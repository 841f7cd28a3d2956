import { Link } from '@tanstack/react-router';
import { useT, type Key } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Facts } from '../../ui/Facts';
import { Card, Coming } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { useMe } from '../../api/me';
import { useSwitches } from '../budgets/data';
import { useDashboard } from './data';
import { Pace } from './Pace';
import { causesOf, OPEN } from './states';
import { Thrown } from './Thrown';

/** Whether it flows: what is on its way and what it waits for, the senders' pace, the switches. */
export function Now() {
  return (
    <>
      <div className="grid gap-4 lg:grid-cols-2">
        <OnItsWay />
        <Standing />
      </div>
      <Pace />
      <Thrown />
    </>
  );
}

/** Messages that have no end yet, by state and by what they wait for; each number opens them. */
function OnItsWay() {
  const t = useT();
  const format = useFormat();
  const dashboard = useDashboard();
  const totals = dashboard.data?.totals;
  return (
    <Card title={t('operations.way')}>
      <ProblemNote error={dashboard.error} />
      {!totals && !dashboard.error && <Coming says={t('list.loading')} rows={OPEN.length} />}
      {totals && (
        <ul className="flex flex-col gap-1.5" data-testid="on-its-way">
          {OPEN.map((state) => (
            <li key={state} className="flex flex-wrap items-center gap-3">
              <Link
                to="/messages"
                search={{ status: state }}
                className="w-16 text-right font-semibold underline"
              >
                {format.number(totals[state] ?? 0)}
              </Link>
              <Pill state={state} />
              <span className="text-xs text-soft">
                {causesOf(totals, state)
                  .map((one) => `${t(`gate.${one.name}` as Key)} ${format.number(one.count)}`)
                  .join(', ')}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** What holds everything, how far the figures are, and how much the plan allows. */
function Standing() {
  const t = useT();
  const format = useFormat();
  const switches = useSwitches().data;
  const totals = useDashboard().data;
  const limits = useMe().data?.tenant.limits;
  const own = switches?.data.find((one) => one.scope === 'tenant');
  const limit = (value: number | null | undefined) =>
    value == null ? t('operations.unlimited') : format.number(value);
  return (
    <Card title={t('operations.standing')}>
      <Facts
        facts={[
          [t('operations.platform'), switches && <Pill key="platform" state={switches.platform} />],
          [t('switch.scope.tenant'), switches && <Pill key="own" state={own?.mode ?? 'on'} />],
          [t('operations.counted'), totals && <Time key="at" at={totals.as_of} />],
          [t('operations.changes'), totals && format.number(totals.watermark)],
          [t('operations.limit.day'), limits && limit(limits.messages_per_day)],
          [t('operations.limit.pace'), limits && limit(limits.pace)],
        ]}
      />
      <p className="text-xs text-soft">{t('operations.elsewhere')}</p>
    </Card>
  );
}
