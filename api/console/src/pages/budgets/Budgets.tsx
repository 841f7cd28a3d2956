import type { FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay, useMe } from '../../api/me';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { Card, Coming } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useCampaigns } from '../campaigns/data';
import { useBudgets, useSetBudget } from './data';

/** What is spent of each cap, and the caps of the company. */
export function Budgets() {
  const t = useT();
  const may = useMay('edit_settings');
  const budgets = useBudgets();
  const campaigns = useCampaigns().rows;
  const data = budgets.data?.data;
  const own = data?.find((one) => one.scope === 'tenant');
  const name = (one: Schemas['BudgetUse']) =>
    one.target ? (campaigns.find((of) => of.id === one.target)?.name ?? one.target) : t('budgets.company');
  return (
    <Card title={t('budgets.caps')}>
      <ProblemNote error={budgets.error} />
      {!data && !budgets.error && <Coming says={t('list.loading')} />}
      {data?.length === 0 && <p className="text-soft">{t('budgets.none')}</p>}
      {data?.map((one) => (
        <div key={`${one.scope} ${one.target}`} className="flex flex-col gap-1">
          <span className="font-medium">{name(one)}</span>
          <Spent label={t('budgets.day')} spent={one.spent.day.spent} cap={one.daily} />
          <Spent label={t('budgets.month')} spent={one.spent.month.spent} cap={one.monthly} />
        </div>
      ))}
      {may && data && <Caps key={JSON.stringify(own)} own={own} />}
    </Card>
  );
}

type SpentProps = { label: string; spent: Schemas['Money']; cap: Schemas['Money'] | null };

function Spent({ label, spent, cap }: SpentProps) {
  const t = useT();
  const format = useFormat();
  const says = cap
    ? t('budgets.of', { spent: format.money(spent), cap: format.money(cap) })
    : t('budgets.free', { spent: format.money(spent) });
  return (
    <span className="grid grid-cols-[72px_120px_1fr] items-center gap-3 text-xs">
      <span className="text-soft">{label}</span>
      {cap ? (
        <meter max={Number(cap.amount)} value={Number(spent.amount)} aria-label={label} className="w-full" />
      ) : (
        <span />
      )}
      <span>{says}</span>
    </span>
  );
}

function Caps({ own }: { own: Schemas['BudgetUse'] | undefined }) {
  const t = useT();
  const set = useSetBudget();
  const currency = useMe().data?.tenant.currency ?? 'USD';
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const money = (name: string) => {
      const amount = String(form.get(name) ?? '').trim();
      return amount ? { amount, currency } : null;
    };
    const body = { scope: 'tenant' as const, daily: money('daily'), monthly: money('monthly') };
    set.mutate(body, { onSuccess: () => toast(t('budgets.done')) });
  };
  return (
    <form className="flex flex-col gap-3 border-t border-line pt-3" onSubmit={submit}>
      <div className="grid max-w-md grid-cols-2 gap-3">
        <TextField
          name="daily"
          inputMode="decimal"
          label={t('budgets.daily', { currency })}
          defaultValue={own?.daily?.amount ?? ''}
        />
        <TextField
          name="monthly"
          inputMode="decimal"
          label={t('budgets.monthly', { currency })}
          defaultValue={own?.monthly?.amount ?? ''}
        />
      </div>
      <ProblemNote error={set.error} />
      <Button type="submit" className="self-start" disabled={set.isPending}>
        {t('budgets.save')}
      </Button>
    </form>
  );
}
