import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, save, signed, type Schemas } from '../../api/client';
import { ApiError, type Problem } from '../../api/problem';
import { csvOf } from '../../ui/csv';

/** Which column of the file is which field: `{field: column}`. */
export type Mapping = Record<string, string>;

/** The own field that a column becomes: its name as fields may be called. */
export const ownField = (column: string) =>
  `attributes.${column
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 64)}`;

async function send<T>(path: string, file: File, mapping: Mapping): Promise<T> {
  const query =
    Object.keys(mapping).length > 0 ? `?mapping=${encodeURIComponent(JSON.stringify(mapping))}` : '';
  const headers = { 'content-type': 'text/csv' };
  const answer = await signed(new Request(path + query, { method: 'POST', headers, body: file }));
  const body: unknown = await answer.json();
  if (!answer.ok) throw new ApiError(answer.status, body as Partial<Problem>);
  return body as T;
}

/** How a file is read, and what an import of it would do. */
export function usePreview(file: File | null, mapping: Mapping) {
  return useQuery({
    queryKey: ['preview', file?.name, file?.size, file?.lastModified, mapping],
    enabled: file !== null,
    retry: false,
    placeholderData: (before: Schemas['ImportPreview'] | undefined) => before,
    queryFn: () => send<Schemas['ImportPreview']>('/v1/contacts/import/preview', file as File, mapping),
  });
}

/** Begins to import a file. */
export function useImport() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ file, mapping }: { file: File; mapping: Mapping }) =>
      send<Schemas['AcceptedImport']>('/v1/contacts/import', file, mapping),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['contacts'] }),
  });
}

/** How far an import is; asked for again while it runs. */
export function useProgress(id: string | undefined) {
  return useQuery({
    queryKey: ['import', id],
    enabled: id !== undefined,
    refetchInterval: (query) => (query.state.data?.state === 'running' || !query.state.data ? 700 : false),
    queryFn: () => ask(api.GET('/v1/imports/{id}', { params: { path: { id: id ?? '' } } })),
  });
}

/** Saves the lines of an import that are not in as a file, each with the reason. */
export function useLines(id: string) {
  return useMutation({
    mutationFn: async () => {
      const lines: Schemas['ImportLine'][] = [];
      let cursor: string | null = null;
      do {
        const query: { limit: number; cursor?: string } = { limit: 1_000, ...(cursor ? { cursor } : {}) };
        const page: Schemas['ImportLinePage'] = await ask(
          api.GET('/v1/imports/{id}/rows', { params: { path: { id }, query } }),
        );
        lines.push(...page.data);
        cursor = page.next_cursor;
      } while (cursor);
      const rows = lines.map((one) => [String(one.line), one.outcome, one.reason ?? '']);
      save(new Blob([csvOf([['line', 'outcome', 'reason'], ...rows])], { type: 'text/csv' }), 'import.csv');
    },
  });
}
