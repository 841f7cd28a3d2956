import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useT, type Key } from '../../i18n';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useAct, useCopy, type Act } from './data';

/** What may be done next, by the state. Whether it may, the api decides. */
const NEXT: Record<string, Act[]> = {
  draft: ['start'],
  starting: ['pause', 'stop'],
  running: ['pause', 'stop'],
  paused: ['resume', 'stop'],
};

const UNDO: Partial<Record<Act, Act>> = { pause: 'resume', resume: 'pause' };

/** Pausing and resuming undo each other; stopping is for good, and asks. */
export function Acts({ campaign }: { campaign: Schemas['Campaign'] }) {
  const t = useT();
  const act = useAct(campaign.id);
  const copy = useCopy(campaign.id);
  const navigate = useNavigate();
  const [stops, setStops] = useState(false);
  const run = (what: Act) => {
    act.mutate(what, {
      onSuccess: () => {
        const undo = UNDO[what];
        toast(
          t(`campaign.done.${what}` as Key),
          undo && { label: t('act.undo'), run: () => act.mutate(undo) },
        );
        if (what === 'start') void navigate({ to: '/campaigns/$id', params: { id: campaign.id } });
      },
    });
  };
  return (
    <>
      {(NEXT[campaign.state] ?? []).map((what) => (
        <Button
          key={what}
          kind={what === 'stop' ? 'danger' : what === 'start' ? 'primary' : 'plain'}
          disabled={act.isPending}
          onClick={() => (what === 'stop' ? setStops(true) : run(what))}
        >
          {t(`campaign.${what}` as Key)}
        </Button>
      ))}
      <Button
        disabled={copy.isPending}
        onClick={() =>
          copy.mutate(undefined, {
            onSuccess: ({ id }) => {
              toast(t('campaign.copied'));
              void navigate({ to: '/campaigns/$id', params: { id } });
            },
          })
        }
      >
        {t('campaign.copy')}
      </Button>
      <ProblemNote error={act.error ?? copy.error} />
      {stops && (
        <Confirm
          title={t('campaign.stop')}
          says={t('campaign.stop.says')}
          act={t('campaign.stop')}
          typed={campaign.name}
          onConfirm={() => run('stop')}
          onClose={() => setStops(false)}
        />
      )}
    </>
  );
}
