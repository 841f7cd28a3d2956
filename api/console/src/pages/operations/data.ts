import { useQuery } from '@tanstack/react-query';
import { api, ask } from '../../api/client';
import { usePages } from '../../api/lists';

const page = (cursor?: string) => ({ params: { query: { limit: 100, ...(cursor ? { cursor } : {}) } } });

/** The totals of the company, which the live connection keeps. */
export function useDashboard() {
  return useQuery({
    queryKey: ['totals', 'dashboard'],
    staleTime: Infinity,
    queryFn: () => ask(api.GET('/v1/analytics/dashboard')),
  });
}

/** Messages whose carrier call has no known result. */
export const useAllDoubts = () =>
  usePages(['of', 'dashboard', 'doubts', 'all'], (cursor) => ask(api.GET('/v1/in-doubt', page(cursor))));

/** What carriers reported about messages that are not here. */
export const useUnmatched = () =>
  usePages(['unmatched'], (cursor) => ask(api.GET('/v1/unmatched-receipts', page(cursor))));

/** Messages that were sent under an idempotency key whose first message says something else. */
export const useConflicts = () =>
  usePages(['conflicts'], (cursor) => ask(api.GET('/v1/messages/conflicts', page(cursor))));

/** Who threw which switch, the newest first. */
export const useThrown = () =>
  usePages(['audit', 'switches'], (cursor) => {
    const query = { limit: 20, action: 'switch.changed', ...(cursor ? { cursor } : {}) };
    return ask(api.GET('/v1/audit', { params: { query } }));
  });
