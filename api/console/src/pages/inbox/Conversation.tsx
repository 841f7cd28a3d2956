import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { useKeys } from '../../ui/keys';
import { Coming } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { useAct } from './acts';
import { Composer } from './Composer';
import { useConversation, useLiveConversation } from './data';
import type { Mode } from './drafts';
import { useEnd } from './end';
import type { Filters } from './filters';
import { Head } from './Head';
import { Owned } from './Owned';
import { Person } from './Person';
import { Thread } from './Thread';

type Props = { id: string; filters: Filters };

/** What is open of the inbox: its thread, the answering, and who writes. */
export function Conversation({ id, filters }: Props) {
  const t = useT();
  const conversation = useConversation(id);
  if (conversation.isError) {
    return (
      <div className="p-4">
        <ProblemNote error={conversation.error} onRetry={() => void conversation.refetch()} />
      </div>
    );
  }
  if (!conversation.data) {
    return (
      <div className="p-4">
        <Coming says={t('list.loading')} rows={8} />
      </div>
    );
  }
  return <Open conversation={conversation.data} filters={filters} />;
}

function Open({ conversation, filters }: { conversation: Schemas['Conversation']; filters: Filters }) {
  const t = useT();
  const may = useMay('send_messages');
  const act = useAct(conversation.id);
  const end = useEnd(act);
  useLiveConversation(conversation.id);
  const box = useRef<HTMLTextAreaElement>(null);
  const [mode, setMode] = useState<Mode>('reply');
  const [written, setWritten] = useState(0);
  const { unread, owner, status } = conversation;

  // Whoever looks at it reads it.
  const { mutate } = act;
  useEffect(() => {
    if (may && unread > 0 && document.visibilityState === 'visible') mutate('read');
  }, [may, unread, mutate]);

  const write = (as: Mode) => {
    setMode(as);
    box.current?.focus();
  };
  const keys = {
    r: () => write('reply'),
    n: () => write('note'),
    t: () => owner !== 'person' && mutate('take-over'),
    e: () => (status === 'closed' ? end.reopen() : end.close()),
  };
  useKeys(may ? keys : {});
  return (
    <div className="grid min-h-0 grid-cols-1 xl:grid-cols-[minmax(0,1fr)_240px]">
      <section aria-label={t('inbox.conversation')} className="flex min-h-0 min-w-0 flex-col">
        <Link to="/inbox" search={filters} className="px-3 pt-2 text-xs underline md:hidden">
          {t('inbox.back')}
        </Link>
        <Head conversation={conversation} end={end} isBusy={act.isPending} />
        <Owned conversation={conversation} act={act} />
        <Thread conversation={conversation} written={written} />
        {may && (
          <Composer
            conversation={conversation}
            mode={mode}
            onMode={setMode}
            onWritten={() => setWritten((before) => before + 1)}
            box={box}
          />
        )}
      </section>
      <Person conversation={conversation} />
    </div>
  );
}
