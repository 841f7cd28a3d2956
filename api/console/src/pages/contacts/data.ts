import { api, ask } from '../../api/client';
import { usePages } from '../../api/lists';

export type Filters = { q?: string; tag?: string; phone?: string };

/** People by what the filters say. */
export function useContacts(filters: Filters) {
  return usePages(['contacts', filters], (cursor) =>
    ask(
      api.GET('/v1/contacts', {
        params: { query: { ...filters, limit: 200, ...(cursor ? { cursor } : {}) } },
      }),
    ),
  );
}
