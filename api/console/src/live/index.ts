import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { feed, type LiveMessage } from './feed';

/** How often what follows from totals is asked for again at most, in milliseconds. */
const AT_MOST = 2_000;

/** Keeps the totals of a topic as the api says them, and what hangs on them fresh. */
export function useLive(topic: string) {
  const queries = useQueryClient();
  useEffect(() => {
    const refresh = refresher(queries, topic);
    const leave = feed.join(topic, (name, message) => {
      if (message.totals) queries.setQueryData(['totals', topic], message.totals);
      if (name === 'totals') refresh.later();
      if (message.event) tell(queries, message);
    });
    return () => {
      refresh.stop();
      leave();
    };
  }, [queries, topic]);
}

/** How the connection stands. */
export const useConnection = () => useSyncExternalStore(feed.watch, () => feed.state);

/** What happened to a campaign or a budget changes what pages show of it. */
function tell(queries: QueryClient, { event }: LiveMessage) {
  const kind = event?.type.split('.')[0];
  if (kind === 'campaign') {
    void queries.invalidateQueries({ queryKey: ['campaigns'] });
    void queries.invalidateQueries({ queryKey: ['campaign'] });
  }
  if (kind === 'budget') void queries.invalidateQueries({ queryKey: ['budgets'] });
}

function refresher(queries: QueryClient, topic: string) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const now = () => {
    timer = undefined;
    void queries.invalidateQueries({ queryKey: ['of', topic] });
    // Its totals moved, and with them its own figures.
    const campaign = topic.split(':')[1];
    if (campaign) void queries.invalidateQueries({ queryKey: ['campaign', campaign] });
  };
  return {
    later: () => void (timer ??= setTimeout(now, AT_MOST)),
    stop: () => clearTimeout(timer),
  };
}
