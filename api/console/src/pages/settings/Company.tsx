import type { FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay, useMe } from '../../api/me';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { Card } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useTenant } from './data';
import { Look } from './Look';

/** The company's name, where it is, and how its console looks. */
export function Company() {
  const tenant = useMe().data?.tenant;
  if (!tenant) return null;
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Form key={JSON.stringify(tenant)} tenant={tenant} />
      <Look key={JSON.stringify(tenant.theme)} theme={tenant.theme} />
    </div>
  );
}

function Form({ tenant }: { tenant: Schemas['Tenant'] }) {
  const t = useT();
  const may = useMay('edit_settings');
  const change = useTenant();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const body = Object.fromEntries(
      [...new FormData(event.currentTarget)].map(([name, value]) => [name, String(value)]),
    );
    change.mutate(body, { onSuccess: () => toast(t('settings.saved')) });
  };
  const wrong = wrongIn(change.error);
  const fields = [
    ['name', t('field.name')],
    ['country', t('field.country')],
    ['time_zone', t('field.zone')],
    ['language', t('field.language')],
  ] as const;
  return (
    <Card title={t('settings.company')}>
      <form className="flex max-w-md flex-col gap-3" onSubmit={submit}>
        {fields.map(([name, label]) => (
          <TextField
            key={name}
            name={name}
            label={label}
            readOnly={!may}
            defaultValue={tenant[name]}
            error={wrong(name)}
          />
        ))}
        <ProblemNote error={change.error} />
        {may && (
          <Button kind="primary" type="submit" className="self-start" disabled={change.isPending}>
            {t('act.save')}
          </Button>
        )}
      </form>
    </Card>
  );
}
