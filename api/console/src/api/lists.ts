import { useInfiniteQuery } from '@tanstack/react-query';

type Page<T> = { data: T[]; next_cursor: string | null };
type Options<T> = { staleTime?: number; enabled?: boolean; isOpen?: (row: T) => boolean };

/** How often a list with something open in it is asked for again, in milliseconds, and how often at most. */
const OFTEN = 3_000;
const AT_MOST = 20;

/** A list that comes in pages; asked for again while a row is open, as far as `isOpen` says so. */
export function usePages<T>(
  key: readonly unknown[],
  load: (cursor?: string) => Promise<Page<T>>,
  { isOpen, ...options }: Options<T> = {},
) {
  const query = useInfiniteQuery({
    ...options,
    queryKey: key,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => load(pageParam),
    refetchInterval: ({ state }) => {
      const rows = state.data?.pages.flatMap((page) => page.data) ?? [];
      return isOpen && state.dataUpdateCount < AT_MOST && rows.some(isOpen) ? OFTEN : false;
    },
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  return { ...query, rows: query.data?.pages.flatMap((page) => page.data) ?? [] };
}
