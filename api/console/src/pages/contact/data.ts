import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';

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

/** The latest messages to them. */
export function useMessages(phone: string) {
  return useQuery({
    queryKey: ['messages', phone],
    queryFn: () => ask(api.GET('/v1/messages', { params: { query: { to: phone, limit: 20 } } })),
  });
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
