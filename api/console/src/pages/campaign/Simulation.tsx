import type { Schemas } from '../../api/client';
import { useT, type Key } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { Coming } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { useSimulation } from './data';

/** Who would be stopped by which gate, what it costs and when it ends: asked before anybody is written to. */
export function Simulation({ id }: { id: string }) {
  const t = useT();
  const simulation = useSimulation(id);
  const again = () => void simulation.refetch();
  if (simulation.isError) return <ProblemNote error={simulation.error} onRetry={again} />;
  if (!simulation.data) return <Coming says={t('check.runs')} rows={6} />;
  return (
    <div className="flex flex-col gap-4" data-testid="simulation">
      <Sum sum={simulation.data} />
      <Stopped groups={simulation.data.by_gate} />
      <Button className="self-start" onClick={again} disabled={simulation.isFetching}>
        {t('check.again')}
      </Button>
    </div>
  );
}

function Sum({ sum }: { sum: Schemas['CampaignSimulation'] }) {
  const t = useT();
  const format = useFormat();
  const people = { sent: format.number(sum.sent), audience: format.number(sum.audience) };
  return (
    <>
      <p className="text-base font-semibold">{t('check.sum', { ...people, cost: format.money(sum.cost) })}</p>
      <Facts
        facts={[
          [t('campaigns.audience'), format.number(sum.audience)],
          [t('check.now'), format.number(sum.admitted)],
          [t('state.deferred'), format.number(sum.deferred)],
          [t('state.held'), format.number(sum.held)],
          [t('state.blocked'), format.number(sum.blocked)],
          [t('field.segments'), format.number(sum.segments)],
          [t('field.cost'), format.money(sum.cost)],
          [t('check.first'), sum.first_send_at && <Time key="at" at={sum.first_send_at} />],
          [t('check.finish'), sum.finish_at && <Time key="at" at={sum.finish_at} />],
        ]}
      />
    </>
  );
}

function Stopped({ groups }: { groups: Schemas['SimulatedGroup'][] }) {
  const t = useT();
  const format = useFormat();
  if (groups.length === 0) return <p className="text-soft">{t('check.nobody')}</p>;
  return (
    <ul className="flex flex-col gap-1">
      {groups.map((group) => (
        <li key={`${group.gate} ${group.code}`} className="flex flex-wrap items-center gap-2">
          <span className="w-14 text-right font-semibold">{format.number(group.count)}</span>
          <Pill state={group.verdict} />
          <span>{group.gate ? t(`gate.${group.gate}` as Key) : group.code}</span>
          <span className="text-soft">{group.code.replaceAll('_', ' ')}</span>
          {group.latest_until && (
            <span className="text-soft">
              {t('check.until')} <Time at={group.latest_until} />
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
