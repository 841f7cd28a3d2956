import type { FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Facts } from '../../ui/Facts';
import { TextField } from '../../ui/Field';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useChangeSender, useSenders, useSenderStatus } from './data';

type Sender = Schemas['Sender'];
type Health = Schemas['SenderHealth'];

/** One sender: how it does and why, what it may carry, and what takes it out of traffic. */
export function SenderDialog({ sender, onClose }: { sender: Sender; onClose: () => void }) {
  const t = useT();
  const may = useMay('edit_settings');
  return (
    <Dialog wide title={sender.number} onClose={onClose}>
      {sender.health && <How health={sender.health} />}
      {may && <Status sender={sender} />}
      {may && <Limits sender={sender} />}
      <Button className="self-end" onClick={onClose}>
        {t('act.done')}
      </Button>
    </Dialog>
  );
}

function How({ health }: { health: Health }) {
  const t = useT();
  const format = useFormat();
  const senders = useSenders().rows;
  const { replacement, cause } = health;
  const other = replacement && senders.find((one) => one.id === replacement.sender);
  return (
    <Facts
      facts={[
        [t('health.title'), <Pill key="state" state={health.state} />],
        [t('field.reason'), cause && t(`health.cause.${cause}`)],
        [t('senders.since'), health.since && <Time key="since" at={health.since} />],
        [t('health.rests'), health.rests_until && <Time key="rests" at={health.rests_until} />],
        [t('health.window'), t('health.minutes', { n: health.window_minutes })],
        [
          t('health.rate'),
          health.delivered_percent == null ? null : `${format.number(health.delivered_percent)} %`,
        ],
        [t('state.delivered'), format.number(health.delivered)],
        [t('state.failed'), format.number(health.failed)],
        [t('health.complaints'), format.number(health.complaints)],
        [
          t('health.replacement'),
          replacement && [other?.number ?? replacement.sender, replacement.reason].filter(Boolean).join(': '),
        ],
      ]}
    />
  );
}

/** Takes it out of traffic, or puts it back. */
function Status({ sender }: { sender: Sender }) {
  const t = useT();
  const set = useSenderStatus();
  const isBack = sender.usable && sender.health?.state === 'healthy';
  const choices = isBack ? (['quarantined', 'inactive'] as const) : (['active', 'inactive'] as const);
  const run = (status: Schemas['SenderStatus']) =>
    set.mutate(
      { senders: [sender.id], status },
      { onSuccess: () => toast(t(`health.done.${status}`, { number: sender.number })) },
    );
  return (
    <div className="flex flex-col gap-2 border-t border-line pt-3">
      <p className="text-soft">{t('health.says')}</p>
      <div className="flex flex-wrap gap-2">
        {choices.map((status) => (
          <Button key={status} disabled={set.isPending} onClick={() => run(status)}>
            {t(`health.do.${status}`)}
          </Button>
        ))}
      </div>
      <ProblemNote error={set.error} />
    </div>
  );
}

/** How fast it may go, and how much a day once it is warm. */
function Limits({ sender }: { sender: Sender }) {
  const t = useT();
  const change = useChangeSender();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = { pace: Number(form.get('pace')), daily_cap: Number(form.get('daily_cap')) };
    change.mutate({ id: sender.id, body }, { onSuccess: () => toast(t('settings.saved')) });
  };
  const wrong = wrongIn(change.error);
  return (
    <form className="flex flex-col gap-3 border-t border-line pt-3" onSubmit={submit}>
      <div className="flex flex-wrap items-end gap-3">
        <TextField
          name="pace"
          type="number"
          min={1}
          required
          label={t('senders.pace')}
          defaultValue={sender.pace}
          error={wrong('pace')}
        />
        <TextField
          name="daily_cap"
          type="number"
          min={1}
          required
          label={t('senders.cap')}
          defaultValue={sender.daily_cap}
          error={wrong('daily_cap')}
        />
        <Button type="submit" disabled={change.isPending}>
          {t('act.save')}
        </Button>
      </div>
      <ProblemNote error={change.error} />
    </form>
  );
}
