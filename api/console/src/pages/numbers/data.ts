import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';
import { usePages } from '../../api/lists';

/** What is looked for at the carrier of an account. */
export type Search = { account: string; country?: string; area_code?: string; contains?: string };

const of = (id: string) => ({ params: { path: { id } } });

/** The numbers of the company; asked for again while an order is under way. */
export const useNumbers = () =>
  usePages(
    ['numbers'],
    (cursor) =>
      ask(api.GET('/v1/numbers', { params: { query: { limit: 100, ...(cursor ? { cursor } : {}) } } })),
    { isOpen: (one) => one.state === 'ordered' },
  );

/** What a carrier has on offer; it is asked when somebody asks. */
export function useOffers(search: Search | null) {
  return useQuery({
    queryKey: ['numbers', 'available', search],
    enabled: search !== null,
    retry: false,
    staleTime: 0,
    queryFn: () => ask(api.GET('/v1/numbers/available', { params: { query: search ?? { account: '' } } })),
  });
}

export const useOrder = () =>
  useChange((body: Schemas['NewNumber']) => ask(api.POST('/v1/numbers', { body })));
export const useImport = () =>
  useChange((account: string) => ask(api.POST('/v1/numbers/import', { body: { account } })));
export const useAssign = () =>
  useChange(({ id, body }: { id: string; body: Schemas['NumberChange'] }) =>
    ask(api.PATCH('/v1/numbers/{id}', { ...of(id), body })),
  );
export const useActivate = () =>
  useChange(({ id, body }: { id: string; body: Schemas['Activation'] }) =>
    ask(api.POST('/v1/numbers/{id}/activate', { ...of(id), body })),
  );
export const useRelease = () => useChange((id: string) => ask(api.DELETE('/v1/numbers/{id}', of(id))));

/** Runs a change, after which numbers, senders and pools are read again. */
function useChange<I, O>(change: (input: I) => Promise<O>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => {
      for (const list of ['numbers', 'senders', 'pools']) {
        void queries.invalidateQueries({ queryKey: [list] });
      }
    },
  });
}
