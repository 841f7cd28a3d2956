import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button, pressed } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { List } from '../../ui/List';
import { Page } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import type { Column } from '../../ui/Table';
import { Bulk } from './Bulk';
import { useContacts, type Filters } from './data';
import { New } from './New';

/** All people. */
export default function Contacts() {
  const t = useT();
  const navigate = useNavigate();
  const may = useMay('edit_contacts');
  const filters = useSearch({ from: '/frame/contacts' });
  const pages = useContacts(filters);
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const [adds, setAdds] = useState(false);
  const bring = (
    <Link to="/contacts/import" className={pressed('primary')}>
      {t('contacts.import')}
    </Link>
  );
  const actions = (
    <>
      <Button onClick={() => setAdds(true)}>{t('contacts.new')}</Button>
      {bring}
    </>
  );
  const columns: Column<Schemas['Contact']>[] = [
    {
      name: t('field.phone'),
      cell: (one) => (
        <Link to="/contacts/$id" params={{ id: one.id }} className="underline">
          {one.phone ?? one.addresses[0]?.address}
        </Link>
      ),
    },
    { name: t('field.name'), cell: (one) => `${one.first_name} ${one.last_name}` },
    { name: t('field.standing'), cell: (one) => <Standing contact={one} /> },
    { name: t('field.tags'), cell: (one) => one.tags.join(', '), wide: true },
    { name: t('field.country'), cell: (one) => one.region ?? one.country, wide: true },
    { name: t('field.changed'), cell: (one) => <Time at={one.updated_at} />, wide: true },
  ];
  return (
    <Page title={t('nav.contacts')} actions={may && actions}>
      <Filter filters={filters} />
      {ids.size > 0 && (
        <Bulk people={pages.rows.filter((one) => ids.has(one.id))} onDone={() => setIds(new Set())} />
      )}
      <List
        label={t('nav.contacts')}
        pages={pages}
        columns={columns}
        idOf={(one) => one.id}
        onOpen={(one) => void navigate({ to: '/contacts/$id', params: { id: one.id } })}
        {...(may ? { picked: { ids, onChange: setIds } } : {})}
        empty={t('contacts.empty')}
        next={may && bring}
      />
      {adds && <New onClose={() => setAdds(false)} />}
    </Page>
  );
}

/** Whether somebody may be written to, in a word. */
export function Standing({ contact }: { contact: Schemas['Contact'] }) {
  const t = useT();
  if (contact.do_not_contact_at) return <span className="text-blocked">{t('contacts.dnc')}</span>;
  if (contact.opted_out_at) return <Pill state="opted_out" />;
  if (contact.consent_at) return <span className="text-delivered">{t('contacts.consent')}</span>;
  return <span className="text-soft">{t('contacts.none')}</span>;
}

/** What is searched for stands in the URL, shortly after it is typed. */
function Filter({ filters }: { filters: Filters }) {
  const t = useT();
  const navigate = useNavigate();
  const [typed, setTyped] = useState(filters);
  useEffect(() => {
    if (JSON.stringify(typed) === JSON.stringify(filters)) return;
    const timer = setTimeout(() => void navigate({ to: '.', search: typed, replace: true }), 250);
    return () => clearTimeout(timer);
  }, [typed, filters, navigate]);
  const set = (name: keyof Filters, value: string) => {
    const next = { ...typed, [name]: value };
    if (!value) delete next[name];
    setTyped(next);
  };
  return (
    <div className="grid grid-cols-1 gap-3 sm:grid-cols-3">
      <TextField
        type="search"
        label={t('contacts.search')}
        value={typed.q ?? ''}
        onChange={(e) => set('q', e.target.value)}
      />
      <TextField
        label={t('contacts.tag')}
        value={typed.tag ?? ''}
        onChange={(e) => set('tag', e.target.value)}
      />
      <TextField
        label={t('field.phone')}
        type="tel"
        value={typed.phone ?? ''}
        onChange={(e) => set('phone', e.target.value)}
      />
    </div>
  );
}
