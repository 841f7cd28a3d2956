import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { SelectField, TextField } from '../../ui/Field';
import { List } from '../../ui/List';
import { Page } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import type { Column } from '../../ui/Table';
import { useExport, useMessages, type Filters } from './data';
import { fieldOf, instantOf } from './times';

const STATES = [
  'accepted',
  'deferred',
  'held',
  'queued',
  'in_doubt',
  'sent',
  'delivered',
  'read',
  'blocked',
  'cancelled',
  'expired',
  'failed',
  'unknown',
] as const;
const CLASSES = ['promo', 'journey', 'conversational', 'transactional', 'compliance'] as const;

/** All messages, by what the filters in the address say; each leads to why. */
export default function Messages() {
  const t = useT();
  const format = useFormat();
  const navigate = useNavigate();
  const filters: Filters = useSearch({ from: '/frame/messages' });
  const save = useExport(filters);
  const columns: Column<Schemas['Message']>[] = [
    {
      name: t('field.phone'),
      cell: (one) => (
        <Link to="/contacts/$id" params={{ id: one.contact_id }} className="underline">
          {one.to}
        </Link>
      ),
    },
    { name: t('field.state'), cell: (one) => <Pill state={one.status} /> },
    { name: t('field.reason'), cell: (one) => one.code, wide: true },
    { name: t('field.class'), cell: (one) => t(`class.${one.class}`), wide: true },
    { name: t('builder.channel'), cell: (one) => t(`channel.${one.channel}`), wide: true },
    { name: t('field.segments'), cell: (one) => format.number(one.segments), number: true, wide: true },
    { name: t('field.cost'), cell: (one) => format.price(one.cost), number: true, wide: true },
    { name: t('messages.at'), cell: (one) => <Time at={one.submitted_at} />, wide: true },
    {
      name: t('nav.why'),
      cell: (one) => (
        <Link to="/why" search={{ of: one.id }} className="underline">
          {t('nav.why')}
        </Link>
      ),
    },
  ];
  const actions = (
    <>
      <Button disabled={save.isPending} onClick={() => save.mutate('csv')}>
        {t('messages.csv')}
      </Button>
      <Button disabled={save.isPending} onClick={() => save.mutate('ndjson')}>
        {t('messages.ndjson')}
      </Button>
    </>
  );
  return (
    <Page title={t('nav.messages')} sentence={t('messages.says')} actions={actions}>
      <Filter key={JSON.stringify(filters)} filters={filters} />
      <ProblemNote error={save.error} />
      <List
        label={t('nav.messages')}
        pages={useMessages(filters)}
        columns={columns}
        idOf={(one) => one.id}
        onOpen={(one) => void navigate({ to: '/why', search: { of: one.id } })}
        empty={t('messages.empty')}
      />
    </Page>
  );
}

/** Which of them; the address has it, so that the page can be sent to somebody. */
function Filter({ filters }: { filters: Filters }) {
  const t = useT();
  const navigate = useNavigate();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim() || undefined;
    const search = {
      to: text('to'),
      status: text('status'),
      class: text('class'),
      code: text('code'),
      campaign: filters.campaign,
      since: instantOf(text('since') ?? ''),
      until: instantOf(text('until') ?? ''),
    };
    const said = Object.entries(search).filter(([, value]) => value !== undefined);
    void navigate({ to: '/messages', search: Object.fromEntries(said) });
  };
  return (
    <form className="flex flex-wrap items-end gap-3" onSubmit={submit}>
      <TextField name="to" type="search" label={t('field.phone')} defaultValue={filters.to} />
      <SelectField
        name="status"
        label={t('field.state')}
        defaultValue={filters.status ?? ''}
        choices={[['', t('field.any')], ...STATES.map((one) => [one, t(`state.${one}`)] as const)]}
      />
      <SelectField
        name="class"
        label={t('field.class')}
        defaultValue={filters.class ?? ''}
        choices={[['', t('field.any')], ...CLASSES.map((one) => [one, t(`class.${one}`)] as const)]}
      />
      <TextField name="code" label={t('field.reason')} defaultValue={filters.code} />
      <TextField
        name="since"
        type="datetime-local"
        label={t('messages.since')}
        defaultValue={fieldOf(filters.since)}
      />
      <TextField
        name="until"
        type="datetime-local"
        label={t('messages.until')}
        defaultValue={fieldOf(filters.until)}
      />
      <Button type="submit">{t('messages.show')}</Button>
    </form>
  );
}
