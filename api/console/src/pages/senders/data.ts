import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';
import { usePages } from '../../api/lists';

const page = (cursor?: string) => ({ params: { query: { limit: 100, ...(cursor ? { cursor } : {}) } } });

export const useSenders = () => usePages(['senders'], (cursor) => ask(api.GET('/v1/senders', page(cursor))));
export const usePools = () => usePages(['pools'], (cursor) => ask(api.GET('/v1/pools', page(cursor))));

/** Changes a sender: its pace, its daily cap, whether it is used. */
export function useChangeSender() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, body }: { id: string; body: Schemas['SenderChange'] }) =>
      ask(api.PATCH('/v1/senders/{id}', { params: { path: { id } }, body })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['senders'] }),
  });
}

/** Takes senders out of traffic, or puts them back. */
export function useSenderStatus() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['SenderStatusChange']) => ask(api.POST('/v1/senders/status', { body })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['senders'] }),
  });
}

/** Makes a number, a code or a name of an account a sender. */
export function useNewSender() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['NewSender']) => ask(api.POST('/v1/senders', { body })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['senders'] }),
  });
}

/** Renames a pool, or gives it other senders. */
export function useChangePool() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, body }: { id: string; body: Schemas['PoolChange'] }) =>
      ask(api.PATCH('/v1/pools/{id}', { params: { path: { id } }, body })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['pools'] }),
  });
}

/** Removes a pool that nothing needs. */
export function useRemovePool() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => ask(api.DELETE('/v1/pools/{id}', { params: { path: { id } } })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['pools'] }),
  });
}

/** Makes a pool of senders. */
export function useNewPool() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['NewPool']) => ask(api.POST('/v1/pools', { body })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['pools'] }),
  });
}
