import { useQueries } from '@tanstack/react-query';
import { api, ask } from '../../api/client';

/** How many campaigns stand beside each other at most. */
export const MOST = 5;

/** Campaigns with what became of them, in the order of their ids. */
export function useCompared(ids: string[]) {
  return useQueries({
    queries: ids.map((id) => ({
      queryKey: ['campaign', id, 'compared'],
      queryFn: async () => {
        const of = { params: { path: { id } } };
        const [campaign, ledger, totals] = await Promise.all([
          ask(api.GET('/v1/campaigns/{id}', of)),
          ask(api.GET('/v1/campaigns/{id}/ledger', of)),
          ask(api.GET('/v1/analytics/campaigns/{id}', of)),
        ]);
        return { campaign, ledger, totals: totals.totals };
      },
    })),
  });
}

export type Compared = NonNullable<ReturnType<typeof useCompared>[number]['data']>;
