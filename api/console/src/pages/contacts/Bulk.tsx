import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useBulk, type BulkAct } from './many';

type Props = { people: Schemas['Contact'][]; onDone: () => void };

/** What can be done to the people that are chosen, and how far it is. */
export function Bulk({ people, onDone }: Props) {
  const t = useT();
  const bulk = useBulk();
  const [tag, setTag] = useState('');
  const [reason, setReason] = useState('');
  const phones = people.map((one) => one.phone).filter((phone) => phone != null);
  const run = (event: FormEvent, act: BulkAct) => {
    event.preventDefault();
    bulk.mutate(
      { phones, act },
      {
        onSuccess: (sum) => {
          toast(t('bulk.done', sum));
          onDone();
        },
      },
    );
  };
  return (
    <section
      aria-label={t('bulk.title')}
      className="flex flex-wrap items-end gap-x-6 gap-y-3 rounded-md border border-line bg-sheet p-3"
    >
      <p className="self-center font-semibold">{t('bulk.chosen', { n: people.length })}</p>
      <form className="flex items-end gap-2" onSubmit={(event) => run(event, { tag: tag.trim() })}>
        <TextField
          required
          maxLength={64}
          label={t('contacts.tag')}
          value={tag}
          onChange={(e) => setTag(e.target.value)}
        />
        <Button type="submit" disabled={bulk.isPending}>
          {t('bulk.tag')}
        </Button>
      </form>
      <form className="flex items-end gap-2" onSubmit={(event) => run(event, { reason: reason.trim() })}>
        <TextField
          required
          maxLength={100}
          label={t('dnc.why')}
          value={reason}
          onChange={(e) => setReason(e.target.value)}
        />
        <Button kind="danger" type="submit" disabled={bulk.isPending}>
          {t('bulk.dnc', { n: phones.length })}
        </Button>
      </form>
      <Button onClick={onDone}>{t('bulk.clear')}</Button>
      {bulk.isPending && <Progress done={bulk.done} of={phones.length} />}
      <ProblemNote error={bulk.error} />
    </section>
  );
}

function Progress({ done, of }: { done: number; of: number }) {
  const t = useT();
  const format = useFormat();
  return (
    <p role="status" className="flex items-center gap-2">
      <progress max={of} value={done} aria-label={t('bulk.progress')} />
      {t('senders.of', { used: format.number(done), limit: format.number(of) })}
    </p>
  );
}
