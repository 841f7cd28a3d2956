import { useState, type MouseEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { List } from '../../ui/List';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import type { Column } from '../../ui/Table';
import { useChangeSender, useSenders } from './data';
import { NewSender } from './NewSender';
import { SenderDialog } from './SenderDialog';

type Sender = Schemas['Sender'];

/** Every sender, with what it has used of its day. */
export function Senders() {
  const t = useT();
  const format = useFormat();
  const may = useMay('edit_settings');
  const change = useChangeSender();
  const pages = useSenders();
  const [open, setOpen] = useState<string | null>(null);
  const [adds, setAdds] = useState(false);
  const shown = pages.rows.find((one) => one.id === open);
  const set = (one: Sender, usable: boolean) => {
    const undo = () => change.mutate({ id: one.id, body: { usable: !usable } });
    const says = usable
      ? t('senders.done.on', { number: one.number })
      : t('senders.done.off', { number: one.number });
    const onSuccess = () => toast(says, { label: t('act.undo'), run: undo });
    change.mutate({ id: one.id, body: { usable } }, { onSuccess });
  };
  const act = (event: MouseEvent, one: Sender) => {
    event.stopPropagation();
    set(one, !one.usable);
  };
  const columns: Column<Sender>[] = [
    {
      name: t('senders.number'),
      cell: (one) => (
        <button type="button" className="font-medium underline" onClick={() => setOpen(one.id)}>
          {one.number}
        </button>
      ),
    },
    { name: t('health.title'), cell: (one) => one.health && <Pill state={one.health.state} /> },
    {
      name: t('senders.used'),
      cell: (one) => <Used sender={one} />,
    },
    {
      name: t('senders.warmup'),
      cell: (one) => (one.warmup?.day == null ? t('senders.warm') : t('senders.day', { n: one.warmup.day })),
      wide: true,
    },
    { name: t('senders.pace'), cell: (one) => format.number(one.pace), number: true, wide: true },
    { name: t('field.zone'), cell: (one) => one.time_zone, wide: true },
    { name: t('senders.since'), cell: (one) => <Time at={one.active_since} />, wide: true },
    {
      name: t('senders.usable'),
      cell: (one) => (
        <span className="flex items-center gap-2">
          {one.usable ? t('field.yes') : t('field.no')}
          {may && (
            <Button className="h-7" onClick={(event) => act(event, one)}>
              {one.usable ? t('senders.off') : t('senders.on')}
            </Button>
          )}
        </span>
      ),
    },
  ];
  return (
    <>
      {may && (
        <Button kind="primary" className="self-start" onClick={() => setAdds(true)}>
          {t('senders.new')}
        </Button>
      )}
      <ProblemNote error={change.error} />
      <List
        label={t('nav.senders')}
        pages={pages}
        columns={columns}
        idOf={(one) => one.id}
        onOpen={(one) => setOpen(one.id)}
        empty={t('senders.empty')}
      />
      {adds && <NewSender onClose={() => setAdds(false)} />}
      {shown && <SenderDialog sender={shown} onClose={() => setOpen(null)} />}
    </>
  );
}

function Used({ sender }: { sender: Sender }) {
  const t = useT();
  if (!sender.warmup) return null;
  const { used, limit_today } = sender.warmup;
  return (
    <span className="flex items-center gap-2">
      <meter min={0} max={limit_today} value={used} aria-label={t('senders.used')} className="w-16" />
      {t('senders.of', { used, limit: limit_today })}
    </span>
  );
}
