import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, signed, type Schemas } from '../../api/client';
import { usePages } from '../../api/lists';
import { ApiError, type Problem } from '../../api/problem';
import { each, TILES, type Tile } from './states';

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

/** Puts the numbers of a file on the list. */
export function useImportStops() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (file: File) => {
      const init = { method: 'POST', headers: { 'content-type': 'text/csv' }, body: file };
      const answer = await signed(new Request('/v1/do-not-contact/import', init));
      const body: unknown = await answer.json();
      if (!answer.ok) throw new ApiError(answer.status, body as Partial<Problem>);
      return body as Schemas['DoNotContactImportResult'];
    },
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

/** A number of the kind that is set aside for examples: nobody is behind it, and nothing is sent. */
const EXAMPLE = '+12025550100';
/** How many states are asked about at once. */
const AT_ONCE = 4;

/** What the gate of quiet hours says of a state. */
export type Answer = Tile & Pick<Schemas['GateAnswer'], 'verdict' | 'reason' | 'until'>;

/** What the gate of quiet hours says of marketing in each state, now or at another time. */
export function useQuietHours(at: string | undefined) {
  return useQuery({
    queryKey: ['quiet-hours', at],
    staleTime: 60_000,
    retry: false,
    queryFn: () =>
      each(TILES, AT_ONCE, async (tile): Promise<Answer> => {
        const contact = { state: tile.code };
        const body = { to: EXAMPLE, class: 'promo' as const, body: '.', contact, ...(at ? { at } : {}) };
        const { gates } = await ask(api.POST('/v1/explain', { body }));
        const said = gates.find((one) => one.gate === 'quiet_hours');
        const { verdict = 'moot', reason = null, until = null } = said ?? {};
        return { ...tile, verdict, reason, until };
      }),
  });
}
