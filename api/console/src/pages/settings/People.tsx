import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { SelectField, TextField } from '../../ui/Field';
import { List } from '../../ui/List';
import { Card } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import type { Column } from '../../ui/Table';
import { useInvitations, useInvite, useRemoveUser, useRole, useUninvite, useUsers } from './data';
import { Limited, Limits, limitsOf } from './Limits';
import { Once } from './Once';
import { ROLES } from './roles';

/** Who works here, who is invited, and what each may do. */
export function People() {
  const t = useT();
  const role = useRole();
  const remove = useRemoveUser();
  const [leaves, setLeaves] = useState<Schemas['User'] | null>(null);
  const columns: Column<Schemas['User']>[] = [
    { name: t('field.name'), cell: (one) => one.name },
    { name: t('people.email'), cell: (one) => one.email, wide: true },
    {
      name: t('field.role'),
      cell: (one) => (
        <select
          aria-label={t('people.role.of', { name: one.name })}
          value={one.role}
          className="rounded border border-line bg-sheet"
          onChange={(e) => role.mutate({ id: one.id, role: e.target.value as Schemas['KeyRole'] })}
        >
          {ROLES.map((name) => (
            <option key={name} value={name}>
              {t(`role.${name}`)}
            </option>
          ))}
        </select>
      ),
    },
    { name: t('limits.title'), cell: (one) => <Limited {...one} />, wide: true },
    { name: t('field.created'), cell: (one) => <Time at={one.created_at} />, wide: true },
    {
      name: t('field.act'),
      cell: (one) => (
        <Button className="h-7" onClick={() => setLeaves(one)}>
          {t('act.remove')}
        </Button>
      ),
    },
  ];
  return (
    <>
      <ProblemNote error={role.error ?? remove.error} />
      <List
        label={t('settings.people')}
        pages={useUsers()}
        columns={columns}
        idOf={(one) => one.id}
        empty={t('people.empty')}
      />
      <Invitations />
      {leaves && (
        <Confirm
          title={t('people.remove', { name: leaves.name })}
          says={t('people.remove.says')}
          act={t('act.remove')}
          onConfirm={() => remove.mutate(leaves.id)}
          onClose={() => setLeaves(null)}
        />
      )}
    </>
  );
}

function Invitations() {
  const t = useT();
  const invite = useInvite();
  const uninvite = useUninvite();
  const [made, setMade] = useState<Schemas['MadeInvitation'] | null>(null);
  const open = useInvitations().rows;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const role = String(form.get('role')) as Schemas['KeyRole'];
    const body = { email: String(form.get('email')), role, ...limitsOf(form) };
    invite.mutate(body, { onSuccess: setMade });
  };
  const wrong = wrongIn(invite.error);
  return (
    <Card title={t('people.invite')}>
      <form className="flex flex-wrap items-end gap-3" onSubmit={submit}>
        <TextField name="email" type="email" required label={t('people.email')} error={wrong('email')} />
        <SelectField
          name="role"
          label={t('field.role')}
          defaultValue="agent"
          choices={ROLES.map((one) => [one, t(`role.${one}`)] as const)}
        />
        <Limits />
        <Button type="submit" disabled={invite.isPending}>
          {t('people.invite')}
        </Button>
      </form>
      <ProblemNote error={invite.error ?? uninvite.error} />
      <ul className="flex flex-col gap-2">
        {open.map((one) => (
          <li key={one.id} className="flex flex-wrap items-center gap-3">
            <span>{one.email ?? one.phone}</span>
            <span className="text-soft">{t(`role.${one.role}`)}</span>
            <Button className="h-7" onClick={() => uninvite.mutate(one.id)}>
              {t('people.uninvite')}
            </Button>
          </li>
        ))}
      </ul>
      {made && (
        <Once
          title={t('people.invite')}
          says={t(made.mailed ? 'people.link.mailed' : 'people.link.says')}
          secret={`${location.origin}/console/join#${made.code}`}
          onClose={() => setMade(null)}
        />
      )}
    </Card>
  );
}
