import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { SelectField, TextField } from '../../ui/Field';
import { List } from '../../ui/List';
import { Card } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import type { Column } from '../../ui/Table';
import { useKeys, useNewKey, useRevoke } from './data';
import { Limited, Limits, limitsOf } from './Limits';
import { Once } from './Once';
import { ROLES } from './roles';

/** The keys that programs sign in with. */
export function Keys() {
  const t = useT();
  const revoke = useRevoke();
  const [ends, setEnds] = useState<Schemas['ApiKey'] | null>(null);
  const columns: Column<Schemas['ApiKey']>[] = [
    { name: t('field.name'), cell: (one) => one.name },
    { name: t('field.role'), cell: (one) => t(`role.${one.role}`) },
    { name: t('keys.mode'), cell: (one) => t(`keys.mode.${one.mode}`), wide: true },
    { name: t('limits.title'), cell: (one) => <Limited {...one} />, wide: true },
    { name: t('keys.used'), cell: (one) => <Time at={one.last_used_at} />, wide: true },
    { name: t('keys.until'), cell: (one) => <Time at={one.expires_at} />, wide: true },
    {
      name: t('field.act'),
      cell: (one) =>
        one.revoked_at ? (
          t('keys.revoked')
        ) : (
          <Button className="h-7" onClick={() => setEnds(one)}>
            {t('keys.revoke')}
          </Button>
        ),
    },
  ];
  return (
    <>
      <NewKey />
      <ProblemNote error={revoke.error} />
      <List
        label={t('settings.keys')}
        pages={useKeys()}
        columns={columns}
        idOf={(one) => one.id}
        empty={t('keys.empty')}
      />
      {ends && (
        <Confirm
          title={t('keys.revoke')}
          says={t('keys.revoke.says')}
          act={t('keys.revoke')}
          typed={ends.name}
          onConfirm={() => revoke.mutate(ends.id)}
          onClose={() => setEnds(null)}
        />
      )}
    </>
  );
}

function NewKey() {
  const t = useT();
  const make = useNewKey();
  const [secret, setSecret] = useState<string | null>(null);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = {
      name: String(form.get('name')),
      role: String(form.get('role')) as Schemas['KeyRole'],
      mode: String(form.get('mode')) as Schemas['KeyKind'],
      ...limitsOf(form),
    };
    make.mutate(body, { onSuccess: (made) => setSecret(made.key) });
  };
  return (
    <Card title={t('keys.new')}>
      <form className="flex flex-wrap items-end gap-3" onSubmit={submit}>
        <TextField name="name" required label={t('field.name')} />
        <SelectField
          name="role"
          label={t('field.role')}
          defaultValue="viewer"
          choices={ROLES.map((one) => [one, t(`role.${one}`)] as const)}
        />
        <SelectField
          name="mode"
          label={t('keys.mode')}
          choices={(['live', 'test'] as const).map((one) => [one, t(`keys.mode.${one}`)] as const)}
        />
        <Limits />
        <Button type="submit" disabled={make.isPending}>
          {t('keys.new')}
        </Button>
      </form>
      <ProblemNote error={make.error} />
      {secret && (
        <Once title={t('keys.new')} says={t('keys.once')} secret={secret} onClose={() => setSecret(null)} />
      )}
    </Card>
  );
}
