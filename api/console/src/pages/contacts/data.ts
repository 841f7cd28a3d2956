import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';
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

/** Adds one person. */
export function useNewContact() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['NewContact']) => ask(api.POST('/v1/contacts', { body })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['contacts'] }),
  });
}
