import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay, useMe } from '../../api/me';
import { useT } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Facts } from '../../ui/Facts';
import { SelectField, TextField } from '../../ui/Field';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { usePools } from '../senders/data';
import { useBrands } from '../settings/data';
import { useActivate, useAssign, useRelease } from './data';

type Props = { number: Schemas['Number'] };

/** One number: how it stands, whose it is, and what may be done with it. */
export function NumberDialog({ number, onClose }: Props & { onClose: () => void }) {
  const t = useT();
  const format = useFormat();
  const may = useMay('edit_numbers');
  const { refusal, warmup } = number;
  return (
    <Dialog wide title={number.number} onClose={onClose}>
      <Facts
        facts={[
          [t('field.state'), <Pill key="state" state={number.active ? 'active' : number.state} />],
          [t('field.reason'), refusal && `${refusal.cause}. ${refusal.next_step}`],
          [t('numbers.used'), format.number(number.used_30_days)],
          [t('field.segments'), format.number(number.segments_30_days)],
          [t('numbers.spent'), format.money(number.spent_30_days)],
          [t('numbers.monthly'), number.monthly_cost && format.money(number.monthly_cost)],
          [t('senders.warmup'), warmup?.day != null ? t('senders.day', { n: warmup.day }) : null],
          [t('senders.used'), warmup && t('senders.of', { used: warmup.used, limit: warmup.limit_today })],
          [t('field.created'), <Time key="at" at={number.created_at} />],
        ]}
      />
      {may && <Assign number={number} />}
      {may && !number.active && <Activate number={number} />}
      {may && !number.active && <Release number={number} onDone={onClose} />}
      <Button className="self-end" onClick={onClose}>
        {t('act.done')}
      </Button>
    </Dialog>
  );
}

/** Its brand, its pool, and what the carrier takes for it. */
function Assign({ number }: Props) {
  const t = useT();
  const assign = useAssign();
  const brands = useBrands().rows;
  const pools = usePools().rows;
  const currency = useMe().data?.tenant.currency ?? '';
  // The api takes none for what stays: one that is said can be replaced, and not taken away.
  const none = ['', t('me.none')] as const;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim() || null;
    const amount = text('cost');
    const body = {
      brand: text('brand'),
      pool: text('pool'),
      monthly_cost: amount ? { amount, currency } : null,
    };
    assign.mutate({ id: number.id, body }, { onSuccess: () => toast(t('settings.saved')) });
  };
  return (
    <form className="flex flex-col gap-3 border-t border-line pt-3" onSubmit={submit}>
      <div className="grid gap-3 sm:grid-cols-3">
        <SelectField
          name="brand"
          label={t('brands.one')}
          defaultValue={number.brand ?? ''}
          choices={[
            ...(number.brand ? [] : [none]),
            ...brands.map((one) => [one.id, one.display_name] as const),
          ]}
        />
        <SelectField
          name="pool"
          label={t('senders.pool')}
          defaultValue={number.pool ?? ''}
          choices={[...(number.pool ? [] : [none]), ...pools.map((one) => [one.id, one.name] as const)]}
        />
        <TextField
          name="cost"
          inputMode="decimal"
          label={t('numbers.cost', { currency })}
          defaultValue={number.monthly_cost?.amount ?? ''}
        />
      </div>
      <ProblemNote error={assign.error} />
      <Button type="submit" className="self-start" disabled={assign.isPending}>
        {t('numbers.assign')}
      </Button>
    </form>
  );
}

/** Makes it a sender: texts leave from it, and its warm-up begins. */
function Activate({ number }: Props) {
  const t = useT();
  const activate = useActivate();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const cap = String(form.get('cap') ?? '');
    const body = { pace: Number(form.get('pace')), ...(cap ? { daily_cap: Number(cap) } : {}) };
    const onSuccess = () => toast(t('numbers.activated', { number: number.number }));
    activate.mutate({ id: number.id, body }, { onSuccess });
  };
  return (
    <form className="flex flex-col gap-3 border-t border-line pt-3" onSubmit={submit}>
      <p className="text-soft">{t('numbers.activate.says')}</p>
      <div className="flex flex-wrap items-end gap-3">
        <TextField name="pace" type="number" min={1} required label={t('senders.pace')} defaultValue={1} />
        <TextField name="cap" type="number" min={1} label={t('senders.cap')} />
        <Button type="submit" disabled={activate.isPending}>
          {t('numbers.activate')}
        </Button>
      </div>
      <ProblemNote error={activate.error} />
    </form>
  );
}

/** Gives it back; it is typed first, as somebody else may have it after that. */
function Release({ number, onDone }: Props & { onDone: () => void }) {
  const t = useT();
  const release = useRelease();
  const [text, setText] = useState('');
  const done = () => {
    toast(t('numbers.released', { number: number.number }));
    onDone();
  };
  return (
    <div className="flex flex-col gap-3 border-t border-line pt-3">
      <p className="text-soft">{t('numbers.release.says')}</p>
      <TextField
        label={t('confirm.type', { what: number.number })}
        value={text}
        onChange={(e) => setText(e.target.value)}
      />
      <ProblemNote error={release.error} />
      <Button
        kind="danger"
        className="self-start"
        disabled={text !== number.number || release.isPending}
        onClick={() => release.mutate(number.id, { onSuccess: done })}
      >
        {t('numbers.release')}
      </Button>
    </div>
  );
}
