import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';
import { messages } from '../../api/messages';
import { ApiError } from '../../api/problem';

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i;

/** Whether it is an id; a number otherwise. */
export const isId = (text: string) => UUID.test(text.trim());

/** The message of an id, the first of a campaign's, or the latest to a number. */
export function useFound(of: string) {
  return useQuery({
    queryKey: ['why', of],
    enabled: of !== '',
    queryFn: async (): Promise<Schemas['Message'][]> => {
      if (!isId(of)) return (await messages({ to: of, limit: 20 })).data;
      try {
        return [await ask(api.GET('/v1/messages/{id}', { params: { path: { id: of } } }))];
      } catch (error) {
        const isNone = error instanceof ApiError && error.status === 404;
        const ofCampaign = isNone ? (await messages({ campaign: of, limit: 20 })).data : [];
        if (ofCampaign.length === 0) throw error;
        return ofCampaign;
      }
    },
  });
}

/** Withdraws a message. */
export function useCancel() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => ask(api.POST('/v1/messages/{id}/cancel', { params: { path: { id } } })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['why'] }),
  });
}

/** What each gate would say about a message. */
export function useExplain() {
  return useMutation({
    mutationFn: (body: Schemas['ExplanationRequest']) => ask(api.POST('/v1/explain', { body })),
  });
}
