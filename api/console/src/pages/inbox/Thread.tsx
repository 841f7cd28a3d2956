import { useVirtualizer } from '@tanstack/react-virtual';
import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Coming, Empty } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { useConsent } from '../contact/data';
import { useThread } from './data';
import { rowsOf, type Row } from './rows';
import { ThreadRow } from './ThreadRow';

/** From how far below the top on more of the past is read, in pixels. */
const NEAR = 600;

type Props = { conversation: Schemas['Conversation']; written: number };

/**
 * What stands in a conversation, the newest below. Only what is in sight is drawn. It goes to the
 * end when it is opened, and each time that the reader has `written` something.
 */
export function Thread({ conversation, written }: Props) {
  const t = useT();
  const thread = useThread(conversation.id);
  const ledger = useConsent(conversation.contact_id).data?.data;
  const { rows: entries, hasNextPage } = thread;
  const rows = useMemo(() => rowsOf(entries, ledger ?? [], !hasNextPage), [entries, ledger, hasNextPage]);
  if (thread.isError && rows.length === 0) {
    return (
      <div className="flex-1 p-3">
        <ProblemNote error={thread.error} onRetry={() => void thread.refetch()} />
      </div>
    );
  }
  if (thread.isPending) {
    return (
      <div className="flex-1 px-3">
        <Coming says={t('list.loading')} rows={8} />
      </div>
    );
  }
  if (rows.length === 0) {
    return (
      <div className="flex-1 p-3">
        <Empty says={t('inbox.thread.empty')} />
      </div>
    );
  }
  const more = { has: hasNextPage, busy: thread.isFetchingNextPage, load: thread.fetchNextPage };
  return (
    <>
      <ProblemNote error={thread.error} onRetry={() => void thread.fetchNextPage()} />
      <Rows rows={rows} more={more} written={written} />
    </>
  );
}

type More = { has: boolean; busy: boolean; load: () => Promise<unknown> };

function Rows({ rows, more, written }: { rows: Row[]; more: More; written: number }) {
  const t = useT();
  const frame = useRef<HTMLDivElement>(null);
  const last = rows.at(-1)?.key;
  const [seen, setSeen] = useState(last);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    getItemKey: (index) => rows[index]?.key ?? index,
    estimateSize: () => 64,
    overscan: 8,
    anchorTo: 'end',
    followOnAppend: true,
    scrollEndThreshold: 80,
  });
  useLayoutEffect(() => virtual.scrollToEnd(), [virtual, written]);

  const load = () => void (more.has && !more.busy && more.load());
  const scrolled = () => {
    if ((frame.current?.scrollTop ?? NEAR) < NEAR) load();
    if (virtual.isAtEnd()) setSeen(last);
  };
  const below = rows.length - 1 - rows.findIndex((row) => row.key === seen);
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={frame}
        onScroll={scrolled}
        role="log"
        aria-label={t('inbox.thread')}
        tabIndex={0}
        className="h-full overflow-y-auto px-3 [overflow-anchor:none]"
      >
        <div className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, key, start }) => (
            <div
              key={key}
              ref={virtual.measureElement}
              data-index={index}
              className="absolute inset-x-0 top-0"
              style={{ transform: `translateY(${start}px)` }}
            >
              <ThreadRow row={rows[index] as Row} />
            </div>
          ))}
        </div>
      </div>
      {more.busy && (
        <p role="status" className="absolute inset-x-0 top-0 bg-sheet text-center text-xs text-soft">
          {t('inbox.earlier')}
        </p>
      )}
      {seen !== last && (
        <Button
          className="absolute bottom-3 left-1/2 -translate-x-1/2 shadow-xl"
          onClick={() => virtual.scrollToEnd()}
        >
          {t('inbox.newer', { n: below })}
        </Button>
      )}
    </div>
  );
}
