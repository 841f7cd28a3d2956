import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { wrongIn } from '../../api/problem';
import { useMay } from '../../api/me';
import { useT, type Key } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { SelectField, TextField } from '../../ui/Field';
import { List } from '../../ui/List';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import type { Column } from '../../ui/Table';
import { useAddDoNotContact, useDoNotContact, useRemoveDoNotContact } from './data';
import { ImportStops } from './ImportStops';
import { PhoneFilter } from './PhoneFilter';

const STOPS = ['marketing', 'all'] as const;

/** The list of who must not be written to, and of who has opted out. */
export function DoNotContact({ phone }: { phone: string | undefined }) {
  const t = useT();
  const may = useMay('edit_contacts');
  const [adds, setAdds] = useState(false);
  const [imports, setImports] = useState(false);
  const columns: Column<Schemas['DoNotContact']>[] = [
    { name: t('field.phone'), cell: (one) => one.phone },
    {
      name: t('dnc.why'),
      cell: (one) => one.reason ?? (one.opt_out_cause && t(`method.${one.opt_out_cause}` as Key)),
    },
    { name: t('dnc.stops'), cell: (one) => t(`stops.${one.stops ?? 'opted_out'}` as Key) },
    {
      name: t('dnc.since'),
      cell: (one) => <Time at={one.do_not_contact_at ?? one.opted_out_at} />,
      wide: true,
    },
  ];
  return (
    <>
      <div className="flex flex-wrap items-end justify-between gap-3">
        <PhoneFilter tab="dnc" phone={phone} />
        {may && (
          <span className="flex gap-2">
            <Button onClick={() => setImports(true)}>{t('dnc.import')}</Button>
            <Button kind="primary" onClick={() => setAdds(true)}>
              {t('dnc.add')}
            </Button>
          </span>
        )}
      </div>
      <List
        label={t('compliance.dnc')}
        pages={useDoNotContact(phone)}
        columns={columns}
        idOf={(one) => one.phone + one.channel}
        empty={t('dnc.empty')}
      />
      {imports && <ImportStops onClose={() => setImports(false)} />}
      {adds && <Add onClose={() => setAdds(false)} />}
    </>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const t = useT();
  const add = useAddDoNotContact();
  const remove = useRemoveDoNotContact();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const body = {
      phone: text('phone'),
      reason: text('reason'),
      stops: text('stops') as (typeof STOPS)[number],
    };
    add.mutate(body, {
      onSuccess: ({ phone }) => {
        const undo = () => remove.mutate({ phone, reason: t('act.undo') });
        toast(t('dnc.added', { phone }), { label: t('act.undo'), run: undo });
        onClose();
      },
    });
  };
  const wrong = wrongIn(add.error);
  return (
    <Dialog title={t('dnc.add')} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <TextField name="phone" type="tel" required label={t('field.phone')} error={wrong('phone')} />
        <TextField name="reason" required label={t('dnc.why')} error={wrong('reason')} />
        <SelectField
          name="stops"
          label={t('dnc.stops')}
          choices={STOPS.map((one) => [one, t(`stops.${one}`)] as const)}
        />
        <ProblemNote error={add.error} />
        <Button kind="primary" type="submit" disabled={add.isPending}>
          {t('dnc.add')}
        </Button>
      </form>
    </Dialog>
  );
}
