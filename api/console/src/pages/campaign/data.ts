import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, download, type Schemas } from '../../api/client';
import { usePages } from '../../api/lists';
import { messages } from '../../api/messages';

export type Act = 'start' | 'pause' | 'resume' | 'stop';

const of = (id: string) => ({ params: { path: { id } } });

export function useCampaign(id: string) {
  return useQuery({ queryKey: ['campaign', id], queryFn: () => ask(api.GET('/v1/campaigns/{id}', of(id))) });
}

/** The totals of a campaign, which the live connection keeps. */
export function useTotals(id: string) {
  return useQuery({
    queryKey: ['totals', `campaign:${id}`],
    staleTime: Infinity,
    queryFn: () => ask(api.GET('/v1/analytics/campaigns/{id}', of(id))),
  });
}

/** Its ledger: cost, variants, whether it balances. */
export function useLedger(id: string) {
  return useQuery({
    queryKey: ['of', `campaign:${id}`, 'ledger'],
    queryFn: () => ask(api.GET('/v1/campaigns/{id}/ledger', of(id))),
  });
}

/** What was counted of it in each minute of its first day, or hour by hour where it went on longer. */
export function useSeries(campaign: Schemas['Campaign']) {
  const { id, started_at } = campaign;
  const end = campaign.completed_at;
  return useQuery({
    queryKey: ['of', `campaign:${id}`, 'series', end],
    enabled: started_at !== null,
    queryFn: () => {
      const query = { by: 'hour' as const, from: started_at ?? '', ...(end ? { to: later(end) } : {}) };
      return ask(api.GET('/v1/analytics/campaigns/{id}/series', { params: { path: { id }, query } }));
    },
  });
}

const later = (at: string) => new Date(Date.parse(at) + 60_000).toISOString();

/** The messages of a campaign that are in a state. */
export function useRecipients(id: string, state: string) {
  return usePages(['of', `campaign:${id}`, 'recipients', state], (cursor) => {
    return messages({ campaign: id, status: state, limit: 200, ...(cursor ? { cursor } : {}) });
  });
}

/** Saves everybody in a state as a file. */
export function useCsv(id: string, state: string) {
  const path = `/v1/campaigns/${id}/recipients?state=${state}`;
  return useMutation({ mutationFn: () => download(path, 'text/csv', `${state}.csv`) });
}

/** Starts, pauses, resumes or stops it. */
export function useAct(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (act: Act) => ask(api.POST(`/v1/campaigns/{id}/${act}`, of(id))),
    onSuccess: (campaign) => {
      queries.setQueryData(['campaign', id], campaign);
      void queries.invalidateQueries({ queryKey: ['campaigns'] });
      void queries.invalidateQueries({ queryKey: ['switches'] });
    },
  });
}

/** Makes a draft like it. */
export function useCopy(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => ask(api.POST('/v1/campaigns/{id}/clone', { ...of(id), body: {} })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['campaigns'] }),
  });
}

/** What it would come to from now on. */
export function useSimulation(id: string) {
  return useQuery({
    queryKey: ['simulation', id],
    staleTime: 0,
    retry: false,
    queryFn: async () =>
      (await ask(api.POST('/v1/campaigns/{id}/simulate', of(id)))) as Schemas['CampaignSimulation'],
  });
}
