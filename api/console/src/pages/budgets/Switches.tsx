import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT, type Key } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { SelectField, TextField } from '../../ui/Field';
import { Card, Coming } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useSetSwitch, useSwitches } from './data';

/** What is held, and the switch of the whole company. */
export function Switches() {
  const t = useT();
  const may = useMay('edit_campaigns');
  const switches = useSwitches();
  const set = useSetSwitch();
  const [asks, setAsks] = useState(false);
  const all = switches.data?.data ?? [];
  const release = (one: Schemas['Switch']) =>
    set.mutate(
      { scope: one.scope, mode: 'on', ...(one.target ? { target: one.target } : {}) },
      {
        onSuccess: (done) =>
          toast(t('switch.released', { n: 'released' in done ? Number(done.released) : 0 })),
      },
    );
  const held = all.some((one) => one.scope === 'tenant');
  return (
    <Card
      title={t('switch.title')}
      aside={
        may &&
        !held && (
          <Button kind="danger" onClick={() => setAsks(true)}>
            {t('switch.hold')}
          </Button>
        )
      }
    >
      <ProblemNote error={switches.error ?? set.error} />
      {!switches.data && !switches.error && <Coming says={t('list.loading')} />}
      {switches.data && !held && <p className="text-delivered">{t('switch.none')}</p>}
      <ul className="flex flex-col gap-2">
        {all.map((one) => (
          <li key={`${one.scope} ${one.target}`} className="flex flex-wrap items-center gap-3">
            <Pill state={one.mode} />
            <span className="font-medium">{t(`switch.scope.${one.scope}` as Key)}</span>
            <span className="text-soft">{one.reason}</span>
            <Time at={one.changed_at} />
            {may && one.mode === 'paused' && (
              <Button disabled={set.isPending} onClick={() => release(one)}>
                {t('switch.release')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {asks && <Hold onClose={() => setAsks(false)} />}
    </Card>
  );
}

const MODES = ['paused', 'stopped'] as const;

/** Says what a switch does before it is thrown. */
function Hold({ onClose }: { onClose: () => void }) {
  const t = useT();
  const set = useSetSwitch();
  const [mode, setMode] = useState<(typeof MODES)[number]>('paused');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget).get('reason') ?? '').trim();
    set.mutate({ scope: 'tenant', mode, reason }, { onSuccess: onClose });
  };
  return (
    <Dialog title={t('switch.hold')} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <SelectField
          label={t('switch.mode')}
          value={mode}
          choices={MODES.map((one) => [one, t(`switch.mode.${one}`)] as const)}
          onChange={(e) => setMode(e.target.value as (typeof MODES)[number])}
        />
        <p>{t(`switch.says.${mode}`)}</p>
        <TextField name="reason" required label={t('switch.reason')} />
        <ProblemNote error={set.error} />
        <Button kind="danger" type="submit" disabled={set.isPending}>
          {t(`switch.do.${mode}`)}
        </Button>
      </form>
    </Dialog>
  );
}
