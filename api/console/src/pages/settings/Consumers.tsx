import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { SelectField, TextField } from '../../ui/Field';
import { List } from '../../ui/List';
import { Card } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import type { Column } from '../../ui/Table';
import { useConsumers, useNewConsumer, useRemoveConsumer } from './data';
import { Once } from './Once';

type Consumer = Schemas['EventConsumer'];

/** Programs of the company that read what happens at the broker, and how far each is behind. */
export function Consumers() {
  const t = useT();
  const format = useFormat();
  const remove = useRemoveConsumer();
  const [ends, setEnds] = useState<Consumer | null>(null);
  const columns: Column<Consumer>[] = [
    { name: t('field.name'), cell: (one) => one.name },
    { name: t('consumers.reads'), cell: (one) => one.streams.map((it) => it.stream).join(', '), wide: true },
    {
      name: t('consumers.pending'),
      cell: (one) =>
        one.streams.some((it) => it.ended)
          ? t('consumers.ended')
          : one.streams.map((it) => format.number(it.pending)).join(', '),
    },
    { name: t('field.created'), cell: (one) => <Time at={one.created_at} />, wide: true },
    { name: t('keys.until'), cell: (one) => <Time at={one.expires_at} />, wide: true },
    {
      name: t('field.act'),
      cell: (one) => (
        <Button className="h-7" onClick={() => setEnds(one)}>
          {t('keys.revoke')}
        </Button>
      ),
    },
  ];
  return (
    <>
      <NewConsumer />
      <ProblemNote error={remove.error} />
      <List
        label={t('settings.consumers')}
        pages={useConsumers()}
        columns={columns}
        idOf={(one) => one.id}
        empty={t('consumers.empty')}
      />
      {ends && (
        <Confirm
          title={t('keys.revoke')}
          says={t('consumers.revoke.says')}
          act={t('keys.revoke')}
          typed={ends.name}
          onConfirm={() => remove.mutate(ends.id)}
          onClose={() => setEnds(null)}
        />
      )}
    </>
  );
}

const BEGINS = ['new', 'all'] as const;

function NewConsumer() {
  const t = useT();
  const make = useNewConsumer();
  const [secret, setSecret] = useState<string | null>(null);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = { name: String(form.get('name')), from: String(form.get('from')) };
    make.mutate(body, { onSuccess: (made) => setSecret(made.credentials) });
  };
  return (
    <Card title={t('consumers.new')}>
      <form className="flex flex-wrap items-end gap-3" onSubmit={submit}>
        <TextField name="name" required label={t('field.name')} />
        <SelectField
          name="from"
          label={t('consumers.from')}
          choices={BEGINS.map((one) => [one, t(`consumers.from.${one}`)] as const)}
        />
        <Button type="submit" disabled={make.isPending}>
          {t('consumers.new')}
        </Button>
      </form>
      <ProblemNote error={make.error} />
      {secret && (
        <Once
          title={t('consumers.new')}
          says={t('consumers.once')}
          secret={secret}
          onClose={() => setSecret(null)}
        />
      )}
    </Card>
  );
}
