import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { ApiError } from '../../api/problem';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { SelectField, TextField } from '../../ui/Field';
import { Card } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { useAddAddress, useRemoveAddress } from './data';

const KINDS = ['phone', 'carrier_id', 'whatsapp_id', 'username'] as const;

type Address = Schemas['NewContactAddress'];

/** What a person is known under: what stops texts to one of them stops texts to all. */
export function Addresses({ contact }: { contact: Schemas['Contact'] }) {
  const t = useT();
  const may = useMay('edit_contacts');
  const remove = useRemoveAddress(contact.id);
  const [adds, setAdds] = useState(false);
  const [goes, setGoes] = useState<Address | null>(null);
  return (
    <Card
      title={t('addresses.title')}
      aside={may && <Button onClick={() => setAdds(true)}>{t('addresses.add')}</Button>}
    >
      <ProblemNote error={remove.error} />
      <ul className="flex flex-col divide-y divide-line">
        {contact.addresses.map((one) => (
          <li key={`${one.kind} ${one.address}`} className="flex flex-wrap items-center gap-3 py-1.5">
            <span className="min-w-0 flex-1 break-all">
              {one.address}
              <span className="block text-xs text-soft">
                {t(`address.${one.kind}`)} <Time at={one.added_at} />
              </span>
            </span>
            {may && (
              <Button
                className="h-7"
                disabled={remove.isPending}
                aria-label={t('addresses.remove', { address: one.address })}
                onClick={() => setGoes(one)}
              >
                {t('act.remove')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {goes && (
        <Confirm
          title={t('addresses.remove', { address: goes.address })}
          says={t('addresses.remove.says')}
          act={t('act.remove')}
          onConfirm={() => remove.mutate({ kind: goes.kind, address: goes.address })}
          onClose={() => setGoes(null)}
        />
      )}
      {adds && <Add id={contact.id} onClose={() => setAdds(false)} />}
    </Card>
  );
}

function Add({ id, onClose }: { id: string; onClose: () => void }) {
  const t = useT();
  const add = useAddAddress(id);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const kind = form.get('kind') as Address['kind'];
    add.mutate({ kind, address: String(form.get('address') ?? '').trim() }, { onSuccess: onClose });
  };
  const wrong = add.error instanceof ApiError ? add.error.field('address') : undefined;
  return (
    <Dialog title={t('addresses.add')} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <SelectField
          name="kind"
          label={t('addresses.kind')}
          choices={KINDS.map((one) => [one, t(`address.${one}`)] as const)}
        />
        <TextField name="address" required label={t('addresses.one')} error={wrong} />
        <ProblemNote error={add.error} />
        <Button kind="primary" type="submit" disabled={add.isPending}>
          {t('addresses.add')}
        </Button>
      </form>
    </Dialog>
  );
}
