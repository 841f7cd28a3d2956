import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, download, type Schemas } from '../../api/client';
import { usePages } from '../../api/lists';

export function useContact(id: string) {
  return useQuery({
    queryKey: ['contact', id],
    queryFn: () => ask(api.GET('/v1/contacts/{id}', { params: { path: { id } } })),
  });
}

/** Their consent: how they stand, and every yes and no. */
export function useConsent(id: string) {
  return useQuery({
    queryKey: ['contact', id, 'consent'],
    queryFn: () =>
      ask(api.GET('/v1/contacts/{id}/consent', { params: { path: { id }, query: { limit: 50 } } })),
  });
}

/** Everything between the company and them, the latest first. */
export function useTimeline(id: string) {
  return usePages(['contact', id, 'timeline'], (cursor) => {
    const query = { limit: 50, ...(cursor ? { cursor } : {}) };
    return ask(api.GET('/v1/contacts/{id}/timeline', { params: { path: { id }, query } }));
  });
}

/** Saves every message to a number as a file. */
export function useMessagesCsv() {
  return useMutation({
    mutationFn: (phone: string) =>
      download(`/v1/messages?to=${encodeURIComponent(phone)}`, 'text/csv', `${phone}.csv`),
  });
}

/** Adds an address to them. */
export function useAddAddress(id: string) {
  const fresh = useFresh(id);
  return useMutation({
    mutationFn: (body: Schemas['NewContactAddress']) =>
      ask(api.POST('/v1/contacts/{id}/addresses', { params: { path: { id } }, body })),
    onSuccess: fresh,
  });
}

/** Takes an address from them. */
export function useRemoveAddress(id: string) {
  const fresh = useFresh(id);
  return useMutation({
    mutationFn: ({ kind, address }: Schemas['NewContactAddress']) =>
      ask(api.DELETE('/v1/contacts/{id}/addresses', { params: { path: { id }, query: { kind, address } } })),
    onSuccess: fresh,
  });
}

/** The contacts that they have taken in lately. */
export function useMerges(id: string) {
  return useQuery({
    queryKey: ['contact', id, 'merges'],
    queryFn: () =>
      ask(api.GET('/v1/contacts/{id}/merges', { params: { path: { id }, query: { limit: 50 } } })),
  });
}

/** Has them take another contact in. */
export function useMerge(id: string) {
  const fresh = useFresh(id);
  return useMutation({
    mutationFn: (merged_id: string) =>
      ask(api.POST('/v1/contacts/{id}/merges', { params: { path: { id } }, body: { merged_id } })),
    onSuccess: fresh,
  });
}

/** Takes a merge of theirs back. */
export function useUnmerge(id: string) {
  const fresh = useFresh(id);
  return useMutation({
    mutationFn: (merge: string) =>
      ask(api.POST('/v1/contacts/merges/{id}/undo', { params: { path: { id: merge } } })),
    onSuccess: fresh,
  });
}

/** Has everything of a person, and the list of people, read again. */
function useFresh(id: string) {
  const queries = useQueryClient();
  return () => {
    void queries.invalidateQueries({ queryKey: ['contact', id] });
    void queries.invalidateQueries({ queryKey: ['contacts'] });
  };
}

/** Changes a person. */
export function useChange(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['ContactChange']) =>
      ask(api.PATCH('/v1/contacts/{id}', { params: { path: { id } }, body })),
    onSuccess: (contact) => queries.setQueryData(['contact', id], contact),
  });
}

/** Writes a line into their ledger of consent. */
export function useNewConsent(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['NewConsentLine']) =>
      ask(api.POST('/v1/contacts/{id}/consent', { params: { path: { id } }, body })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['contact', id] }),
  });
}

/** Erases a person for good. */
export function useErase(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => ask(api.DELETE('/v1/contacts/{id}', { params: { path: { id } } })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['contacts'] }),
  });
}
