import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay, useMe } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Choices } from '../../ui/Choices';
import { ProblemNote } from '../../ui/Problem';
import { useInboxes } from '../settings/data';
import { useAssign, useSnooze } from './acts';
import { useNames } from './data';
import type { useEnd } from './end';
import { LabelsDialog } from './Labels';
import { Ring } from './Ring';
import { snoozes } from './times';

type Props = { conversation: Schemas['Conversation']; end: ReturnType<typeof useEnd>; isBusy: boolean };

/** Who it is, how it stands, and what can be done with it. */
export function Head(props: Props) {
  const t = useT();
  const { conversation } = props;
  const may = useMay('send_messages');
  const { contact_name, address, channel, status, snoozed_until } = conversation;
  return (
    <header className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-3 py-2">
      <div className="flex min-w-0 items-center gap-2">
        <h2 className="truncate text-base font-semibold">{contact_name || address || t('inbox.somebody')}</h2>
        {channel === 'whatsapp' && <Ring seconds={conversation.reply_seconds_left} />}
        <span className="text-xs whitespace-nowrap text-soft">
          {t(`inbox.channel.${channel}`)}
          {' · '}
          {t(`inbox.status.${status}`)} {snoozed_until && <Time at={snoozed_until} />}
        </span>
      </div>
      {may && <Acts {...props} />}
    </header>
  );
}

function Acts({ conversation, end, isBusy }: Props) {
  const t = useT();
  const { id, status } = conversation;
  const [labels, setLabels] = useState(false);
  const snooze = useSnooze(id);
  const assign = useAssign(id);
  const targets = useTargets((body) => assign.mutate(body));
  const later = (until: Date) => snooze.mutate(until, { onSuccess: () => end.away('inbox.snoozed') });
  return (
    <div className="flex flex-wrap gap-1">
      <Choices label={t('inbox.assign')} choices={targets} />
      <Choices
        label={t('inbox.snooze')}
        choices={snoozes(new Date()).map(([name, until]) => [t(name), () => later(until)])}
      />
      <Button onClick={() => setLabels(true)}>{t('inbox.labels')}</Button>
      {status === 'open' ? (
        <Button disabled={isBusy} onClick={end.close}>
          {t('inbox.close')}
        </Button>
      ) : (
        <Button disabled={isBusy} onClick={end.reopen}>
          {t('inbox.reopen')}
        </Button>
      )}
      <ProblemNote error={snooze.error ?? assign.error} />
      {labels && <LabelsDialog conversation={conversation} onClose={() => setLabels(false)} />}
    </div>
  );
}

/** Whom and where it can be given to, as far as the caller may know. */
function useTargets(assign: (body: Schemas['Assignment']) => void) {
  const t = useT();
  const me = useMe().data?.person?.id;
  const { people } = useNames();
  const inboxes = useInboxes().rows.filter((one) => !one.archived_at);
  const targets: [string, () => void][] = people.map(([id, name]) => [
    id === me ? t('inbox.assign.me') : name,
    () => assign({ assignee: id }),
  ]);
  targets.push([t('inbox.assign.nobody'), () => assign({ assignee: null })]);
  for (const one of inboxes) {
    targets.push([t('inbox.assign.inbox', { name: one.name }), () => assign({ inbox: one.id })]);
  }
  return targets;
}
