import { useState, type FormEvent } from 'react';
import { useMe } from '../../api/me';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { Coming } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useOffers, useOrder, type Search } from './data';

/** Looks for numbers at an account's carrier, and orders one. */
export function Order({ account, onClose }: { account: string; onClose: () => void }) {
  const t = useT();
  const [search, setSearch] = useState<Search | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const offers = useOffers(search);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const said = [...new FormData(event.currentTarget)].map(([name, value]) => [name, String(value).trim()]);
    setSearch({ account, ...Object.fromEntries(said.filter(([, value]) => value)) });
  };
  if (chosen) {
    return (
      <Dialog title={t('numbers.order', { number: chosen })} onClose={onClose}>
        <Confirmed account={account} number={chosen} onBack={() => setChosen(null)} onDone={onClose} />
      </Dialog>
    );
  }
  return (
    <Dialog wide title={t('numbers.search.at', { account })} onClose={onClose}>
      <form className="flex flex-wrap items-end gap-3" onSubmit={submit}>
        <TextField name="country" maxLength={2} className="uppercase" label={t('field.country')} />
        <TextField name="area_code" inputMode="numeric" pattern="[0-9]{2,5}" label={t('numbers.area')} />
        <TextField name="contains" inputMode="numeric" pattern="[0-9]{2,10}" label={t('numbers.contains')} />
        <Button kind="primary" type="submit" disabled={offers.isFetching}>
          {t('numbers.look')}
        </Button>
      </form>
      <ProblemNote error={offers.error} />
      {offers.isFetching && <Coming says={t('numbers.looking')} />}
      {offers.data?.data.length === 0 && <p className="text-soft">{t('numbers.nothing')}</p>}
      <ul className="flex max-h-[50vh] flex-col divide-y divide-line overflow-auto">
        {offers.data?.data.map((one) => (
          <li key={one.number} className="flex items-center gap-3 py-1.5">
            <span className="flex-1">
              {one.number}
              <span className="block text-xs text-soft">
                {[one.locality, one.region].filter(Boolean).join(', ')}
              </span>
            </span>
            <Button
              className="h-7"
              aria-label={t('numbers.order', { number: one.number })}
              onClick={() => setChosen(one.number)}
            >
              {t('numbers.choose')}
            </Button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

type Chosen = { account: string; number: string; onBack: () => void; onDone: () => void };

/** What an order means, and what the number costs, before it is made. */
function Confirmed({ account, number, onBack, onDone }: Chosen) {
  const t = useT();
  const order = useOrder();
  const currency = useMe().data?.tenant.currency ?? '';
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const amount = String(new FormData(event.currentTarget).get('cost') ?? '').trim();
    const body = { account, number, ...(amount ? { monthly_cost: { amount, currency } } : {}) };
    order.mutate(body, {
      onSuccess: () => {
        toast(t('numbers.ordered', { number }));
        onDone();
      },
    });
  };
  return (
    <form className="flex flex-col gap-3" onSubmit={submit}>
      <p>{t('numbers.order.says', { account })}</p>
      <TextField
        name="cost"
        inputMode="decimal"
        label={t('numbers.cost', { currency })}
        hint={t('numbers.cost.hint')}
      />
      <ProblemNote error={order.error} />
      <div className="flex justify-end gap-2">
        <Button onClick={onBack}>{t('numbers.back')}</Button>
        <Button kind="primary" type="submit" disabled={order.isPending}>
          {t('numbers.order', { number })}
        </Button>
      </div>
    </form>
  );
}
