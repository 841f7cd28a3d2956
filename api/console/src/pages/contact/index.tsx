import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Facts } from '../../ui/Facts';
import { Card, Coming, Page } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { Standing } from '../contacts';
import { Addresses } from './Addresses';
import { Consent } from './Consent';
import { useContact, useErase } from './data';
import { Edit } from './Edit';
import { Merges } from './Merges';
import { Timeline } from './Timeline';

/** One person: who they are, what they have agreed to, what there was with them. */
export default function ContactPage() {
  const { id } = useParams({ from: '/frame/contacts/$id' });
  const t = useT();
  const contact = useContact(id);
  if (contact.isError) return <ProblemNote error={contact.error} />;
  if (!contact.data) return <Coming says={t('list.loading')} rows={8} />;
  return <Person key={contact.data.id} contact={contact.data} />;
}

function Person({ contact }: { contact: Schemas['Contact'] }) {
  const t = useT();
  const may = useMay('edit_contacts');
  const [edits, setEdits] = useState(false);
  const name = `${contact.first_name} ${contact.last_name}`.trim();
  const actions = may && (
    <>
      <Button onClick={() => setEdits(!edits)}>{t('act.edit')}</Button>
      <Erase contact={contact} />
    </>
  );
  return (
    <Page
      title={name || (contact.phone ?? contact.id)}
      pill={<Standing contact={contact} />}
      actions={actions}
    >
      <div className="grid gap-4 lg:grid-cols-2">
        <Card title={t('contact.who')}>
          {edits ? <Edit contact={contact} onDone={() => setEdits(false)} /> : <Who contact={contact} />}
        </Card>
        <Consent id={contact.id} />
        <Addresses contact={contact} />
        <Merges contact={contact} />
      </div>
      <Timeline id={contact.id} phone={contact.phone} />
    </Page>
  );
}

function Who({ contact }: { contact: Schemas['Contact'] }) {
  const t = useT();
  const attributes = Object.entries(contact.attributes).map(([name, value]): [string, string] => [
    name,
    value,
  ]);
  return (
    <Facts
      facts={[
        [t('field.phone'), contact.phone],
        [t('field.country'), contact.region ?? contact.country],
        [t('field.zone'), contact.time_zone],
        [t('field.language'), contact.language],
        [t('field.postal'), contact.postal_code],
        [t('field.tags'), contact.tags.join(', ')],
        ...attributes,
        [t('field.created'), <Time key="at" at={contact.created_at} />],
        [t('contacts.dnc'), contact.do_not_contact_reason],
      ]}
    />
  );
}

function Erase({ contact }: { contact: Schemas['Contact'] }) {
  const t = useT();
  const navigate = useNavigate();
  const erase = useErase(contact.id);
  const [asks, setAsks] = useState(false);
  const done = () => {
    toast(t('contact.erased'));
    void navigate({ to: '/contacts' });
  };
  return (
    <>
      <Button kind="danger" onClick={() => setAsks(true)}>
        {t('contact.erase')}
      </Button>
      <ProblemNote error={erase.error} />
      {asks && (
        <Confirm
          title={t('contact.erase')}
          says={t('contact.erase.says')}
          act={t('contact.erase')}
          typed={contact.phone ?? contact.id}
          onConfirm={() => erase.mutate(undefined, { onSuccess: done })}
          onClose={() => setAsks(false)}
        />
      )}
    </>
  );
}
