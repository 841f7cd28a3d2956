import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';
import { usePages } from '../../api/lists';

export type Filters = { account?: string; state?: Schemas['ReviewState'] };

/** The templates that carriers keep, as they were last known to have them. */
export function useCarrierTemplates(filters: Filters) {
  return usePages(
    ['carrier-templates', filters],
    (cursor) => {
      const query = { ...filters, limit: 100, ...(cursor ? { cursor } : {}) };
      return ask(api.GET('/v1/carrier-templates', { params: { query } }));
    },
    { isOpen: (one) => one.state === 'submitted' },
  );
}

/** Asks a carrier to keep and review a template. */
export const useMake = () =>
  useChange((body: Schemas['NewCarrierTemplate']) => ask(api.POST('/v1/carrier-templates', { body })));

/** Takes over what the carrier of an account lists now. */
export const useSync = () =>
  useChange((account: string) => ask(api.POST('/v1/carrier-templates/sync', { body: { account } })));

/** Has the carrier delete a template. */
export const useDelete = () =>
  useChange((id: string) => ask(api.DELETE('/v1/carrier-templates/{id}', { params: { path: { id } } })));

/** Runs a change, after which the list is read again. */
function useChange<I, O>(change: (input: I) => Promise<O>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['carrier-templates'] }),
  });
}
