import { useQuery } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';

/** What was counted today and yesterday, by days in UTC. */
export function useDays() {
  return useQuery({
    queryKey: ['of', 'dashboard', 'days'],
    queryFn: async () => {
      const series = await ask(
        api.GET('/v1/analytics/dashboard/series', { params: { query: { by: 'day' } } }),
      );
      const today = series.to.slice(0, 10);
      const on = (day: string) => series.points.find((point) => point.starts_at.startsWith(day))?.counts;
      const before = new Date(Date.parse(`${today}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
      return { today: on(today) ?? {}, yesterday: on(before) ?? {}, to: series.to };
    },
  });
}

/** What was counted in each minute of the last hour. */
export function useMinutes(to: string | undefined) {
  return useQuery({
    queryKey: ['of', 'dashboard', 'minutes', to],
    enabled: to !== undefined,
    placeholderData: (before: Schemas['TotalsSeries'] | undefined) => before,
    queryFn: () => {
      const end = Date.parse(to ?? '');
      const query = { by: 'minute' as const, from: new Date(end - 3_600_000).toISOString(), to: to ?? '' };
      return ask(api.GET('/v1/analytics/dashboard/series', { params: { query } }));
    },
  });
}

/** Messages whose carrier call has no known result. */
export function useDoubts() {
  return useQuery({
    queryKey: ['of', 'dashboard', 'doubts'],
    queryFn: () => ask(api.GET('/v1/in-doubt', { params: { query: { limit: 5 } } })),
  });
}
