import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay, useMe } from '../../api/me';
import { useT } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextArea, TextField } from '../../ui/Field';
import { List } from '../../ui/List';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import type { Column } from '../../ui/Table';
import { useNewRates, useRates } from './data';
import { priceLines, pricesOf } from './prices';

type Rates = Schemas['WhatsappRates'];

/** What messages on WhatsApp cost, in versions: the latest that has begun holds. */
export function WhatsappRates() {
  const t = useT();
  const format = useFormat();
  const may = useMay('edit_settings');
  const pages = useRates();
  const [shown, setShown] = useState<Rates | null>(null);
  const [adds, setAdds] = useState(false);
  const columns: Column<Rates>[] = [
    { name: t('rates.version'), cell: (one) => format.number(one.version), number: true },
    { name: t('rates.from'), cell: (one) => <Time at={one.valid_from} /> },
    { name: t('field.state'), cell: (one) => one.in_force && <Pill state="in_force" /> },
    { name: t('rates.count'), cell: (one) => format.number(one.prices.length), number: true, wide: true },
    {
      name: t('rates.free'),
      cell: (one) => format.number(one.free_service_messages),
      number: true,
      wide: true,
    },
    { name: t('audit.actor'), cell: (one) => one.created_by, wide: true },
    {
      name: t('rates.price'),
      cell: (one) => (
        <Button className="h-7" onClick={() => setShown(one)}>
          {t('rates.show', { n: one.version })}
        </Button>
      ),
    },
  ];
  return (
    <>
      {may && (
        <Button kind="primary" className="self-start" onClick={() => setAdds(true)}>
          {t('rates.new')}
        </Button>
      )}
      <List
        label={t('settings.rates')}
        pages={pages}
        columns={columns}
        idOf={(one) => String(one.version)}
        onOpen={setShown}
        empty={t('rates.empty')}
      />
      {shown && <Prices rates={shown} onClose={() => setShown(null)} />}
      {adds && <Add before={pages.rows[0]} onClose={() => setAdds(false)} />}
    </>
  );
}

/** Every price of a version. */
function Prices({ rates, onClose }: { rates: Rates; onClose: () => void }) {
  const t = useT();
  const format = useFormat();
  return (
    <Dialog wide title={t('rates.show', { n: rates.version })} onClose={onClose}>
      <div role="region" aria-label={t('settings.rates')} tabIndex={0} className="max-h-[60vh] overflow-auto">
        <table className="w-full text-xs">
          <thead>
            <tr className="text-left text-soft">
              <th scope="col">{t('field.country')}</th>
              <th scope="col">{t('rates.category')}</th>
              <th scope="col" className="text-right">
                {t('rates.price')}
              </th>
            </tr>
          </thead>
          <tbody>
            {rates.prices.map((one) => (
              <tr key={`${one.country} ${one.category}`}>
                <td>{one.country ?? t('rates.everywhere')}</td>
                <td>{t(`category.${one.category}`)}</td>
                <td className="text-right">{format.price(one.price)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Button onClick={onClose}>{t('act.done')}</Button>
    </Dialog>
  );
}

/** Says what they cost from some time on, beginning with what was said last. */
function Add({ before, onClose }: { before: Rates | undefined; onClose: () => void }) {
  const t = useT();
  const add = useNewRates();
  const currency = useMe().data?.tenant.currency ?? '';
  const [text, setText] = useState(() => priceLines(before?.prices ?? []));
  const read = pricesOf(text, currency);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!('prices' in read)) return;
    const form = new FormData(event.currentTarget);
    const from = String(form.get('from') ?? '');
    const body = {
      prices: read.prices,
      free_service_messages: Number(form.get('free')),
      valid_from: from ? new Date(from).toISOString() : null,
    };
    add.mutate(body, {
      onSuccess: ({ version }) => {
        toast(t('rates.done', { n: version }));
        onClose();
      },
    });
  };
  return (
    <Dialog wide title={t('rates.new')} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <TextArea
          rows={8}
          spellCheck={false}
          className="font-mono text-xs"
          label={t('rates.prices', { currency })}
          hint={t('rates.prices.hint')}
          value={text}
          error={'wrong' in read ? t('rates.line', { n: read.wrong }) : undefined}
          onChange={(e) => setText(e.target.value)}
        />
        <TextField
          name="free"
          type="number"
          min={0}
          required
          label={t('rates.free')}
          defaultValue={before?.free_service_messages ?? 0}
        />
        <TextField name="from" type="datetime-local" label={t('rates.from')} hint={t('rates.from.hint')} />
        <ProblemNote error={add.error} />
        <Button kind="primary" type="submit" disabled={add.isPending || 'wrong' in read}>
          {t('rates.put')}
        </Button>
      </form>
    </Dialog>
  );
}
