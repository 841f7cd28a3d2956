import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useAct, useSimulation } from '../campaign/data';
import { Simulation } from '../campaign/Simulation';

/** What the campaign would come to, and the button that says so. */
export function CheckStep({ campaign, onStarted }: { campaign: Schemas['Campaign']; onStarted: () => void }) {
  const t = useT();
  const format = useFormat();
  const sum = useSimulation(campaign.id).data;
  const act = useAct(campaign.id);
  const start = () =>
    act.mutate('start', {
      onSuccess: () => {
        toast(t('campaign.done.start'));
        onStarted();
      },
    });
  return (
    <>
      <Card title={t('check.title')}>
        <Simulation id={campaign.id} />
      </Card>
      <ProblemNote error={act.error} />
      {sum && (
        <Button kind="primary" className="self-start" disabled={act.isPending} onClick={start}>
          {t('check.start', { n: sum.sent, cost: format.money(sum.cost) })}
        </Button>
      )}
    </>
  );
}
