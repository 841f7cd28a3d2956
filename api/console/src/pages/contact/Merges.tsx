import { useState } from 'react';
import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { Card, Coming } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useContacts } from '../contacts/data';
import { useMerge, useMerges, useUnmerge } from './data';

/** The contacts that were the same person and that this one has taken in. */
export function Merges({ contact }: { contact: Schemas['Contact'] }) {
  const t = useT();
  const may = useMay('edit_contacts');
  const merges = useMerges(contact.id);
  const undo = useUnmerge(contact.id);
  const [asks, setAsks] = useState(false);
  return (
    <Card
      title={t('merges.title')}
      aside={may && <Button onClick={() => setAsks(true)}>{t('merges.merge')}</Button>}
    >
      <ProblemNote error={merges.error ?? undo.error} />
      {merges.isPending && <Coming says={t('list.loading')} rows={1} />}
      {merges.data?.data.length === 0 && <p className="text-soft">{t('merges.none')}</p>}
      <ul className="flex flex-col divide-y divide-line">
        {merges.data?.data.map((one) => (
          <li key={one.id} className="flex flex-wrap items-center gap-3 py-1.5">
            <Said merge={one} />
            {may && !one.undone_at && (
              <Button className="h-7" disabled={undo.isPending} onClick={() => undo.mutate(one.id)}>
                {t('merges.undo')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {asks && <Choose contact={contact} onClose={() => setAsks(false)} />}
    </Card>
  );
}

/** When two became one, and until when that can be undone. */
function Said({ merge }: { merge: Schemas['ContactMerge'] }) {
  const t = useT();
  return (
    <span className="min-w-0 flex-1 break-all">
      {merge.undone_at ? (
        <Link to="/contacts/$id" params={{ id: merge.merged_id }} className="underline">
          {merge.merged_id}
        </Link>
      ) : (
        merge.merged_id
      )}
      <span className="block text-xs text-soft">
        <Time at={merge.merged_at} /> {merge.merged_by}
      </span>
      <span className="block text-xs text-soft">
        {merge.undone_at ? t('merges.undone') : t('merges.until')}{' '}
        <Time at={merge.undone_at ?? merge.undo_until} />
      </span>
    </span>
  );
}

/** Looks for the contact that is the same person. */
function Choose({ contact, onClose }: { contact: Schemas['Contact']; onClose: () => void }) {
  const t = useT();
  const merge = useMerge(contact.id);
  const undo = useUnmerge(contact.id);
  const [q, setQ] = useState('');
  const found = useContacts(q.trim() ? { q: q.trim() } : {});
  const take = (merged: string) =>
    merge.mutate(merged, {
      onSuccess: ({ id }) => {
        toast(t('merges.done'), { label: t('act.undo'), run: () => undo.mutate(id) });
        onClose();
      },
    });
  const others = found.rows.filter((one) => one.id !== contact.id).slice(0, 8);
  return (
    <Dialog title={t('merges.merge')} onClose={onClose}>
      <p>{t('merges.says')}</p>
      <TextField label={t('merges.search')} type="search" value={q} onChange={(e) => setQ(e.target.value)} />
      <ProblemNote error={merge.error ?? found.error} />
      <ul className="flex flex-col divide-y divide-line">
        {q.trim() !== '' &&
          others.map((one) => (
            <li key={one.id} className="flex items-center gap-3 py-1.5">
              <span className="min-w-0 flex-1 break-words">
                {`${one.first_name} ${one.last_name}`.trim()}
                <span className="block text-xs text-soft">{one.phone ?? one.addresses[0]?.address}</span>
              </span>
              <Button className="h-7" disabled={merge.isPending} onClick={() => take(one.id)}>
                {t('merges.take')}
              </Button>
            </li>
          ))}
      </ul>
      {q.trim() !== '' && found.isSuccess && others.length === 0 && (
        <p className="text-soft">{t('merges.nobody')}</p>
      )}
    </Dialog>
  );
}
