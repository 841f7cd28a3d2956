import { api, ask } from '../../api/client';
import { usePages } from '../../api/lists';

/** The campaigns, the newest first. */
export function useCampaigns() {
  return usePages(['campaigns'], (cursor) =>
    ask(api.GET('/v1/campaigns', { params: { query: { limit: 100, ...(cursor ? { cursor } : {}) } } })),
  );
}
