import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';
import { usePages } from '../../api/lists';

const paged = (cursor?: string) => ({ limit: 100, ...(cursor ? { cursor } : {}) });

/** Who must not be written to. */
export function useDoNotContact(phone: string | undefined) {
  return usePages(['do-not-contact', phone], (cursor) => {
    const query = { ...paged(cursor), ...(phone ? { phone } : {}) };
    return ask(api.GET('/v1/do-not-contact', { params: { query } }));
  });
}

/** Puts somebody on the list. */
export function useAddDoNotContact() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['NewDoNotContact']) => ask(api.POST('/v1/do-not-contact', { body })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['do-not-contact'] }),
  });
}

/** Takes somebody off it, with a reason. */
export function useRemoveDoNotContact() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ phone, reason }: { phone: string; reason: string }) =>
      ask(api.DELETE('/v1/do-not-contact/{phone}', { params: { path: { phone }, query: { reason } } })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['do-not-contact'] }),
  });
}

/** Texts that were taken for an opt-out, the latest first. */
export function useReviews(phone: string | undefined) {
  return usePages(['reviews', phone], (cursor) => {
    const query = { ...paged(cursor), ...(phone ? { phone } : {}) };
    return ask(api.GET('/v1/consent/reviews', { params: { query } }));
  });
}

/** The latest that waits for somebody. */
export function useOpenReviews() {
  return useQuery({
    queryKey: ['reviews', 'open'],
    queryFn: () => ask(api.GET('/v1/consent/reviews', { params: { query: { decided: false, limit: 1 } } })),
  });
}

/** Says what a text was. */
export function useDecide() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, decision }: { id: string; decision: Schemas['ReviewDecision'] }) =>
      ask(api.POST('/v1/consent/reviews/{id}/decision', { params: { path: { id } }, body: { decision } })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['reviews'] }),
  });
}

/** Who got marketing lately, and until when they get no more. */
export function useSuppressions(phone: string | undefined) {
  return usePages(['suppressions', phone], (cursor) => {
    const query = { ...paged(cursor), ...(phone ? { phone } : {}) };
    return ask(api.GET('/v1/suppressions', { params: { query } }));
  });
}

/** The audit trail, the newest first. */
export const useAudit = () =>
  usePages(['audit'], (cursor) => ask(api.GET('/v1/audit', { params: { query: paged(cursor) } })));

/** Whether the chain of the trail holds, as far as it goes; asked for by hand. */
export function useVerify() {
  return useMutation({
    mutationFn: async () => {
      let found = await ask(api.GET('/v1/audit/verify'));
      while (found.ok && found.next_after !== null) {
        found = await ask(api.GET('/v1/audit/verify', { params: { query: { after: found.next_after } } }));
      }
      return found;
    },
  });
}

/** The policy in force, and those before it. */
export function usePolicies() {
  return useQuery({
    queryKey: ['policies'],
    queryFn: () => ask(api.GET('/v1/policies', { params: { query: { limit: 20 } } })),
  });
}

/** Puts another policy in force. */
export function useReplacePolicy() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['Policy']) => ask(api.PUT('/v1/policies', { body })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['policies'] }),
  });
}
