import { useInfiniteQuery } from '@tanstack/react-query';

type Page<T> = { data: T[]; next_cursor: string | null };
type Options = { staleTime?: number; enabled?: boolean };

/** A list that comes in pages. */
export function usePages<T>(
  key: readonly unknown[],
  load: (cursor?: string) => Promise<Page<T>>,
  options: Options = {},
) {
  const query = useInfiniteQuery({
    ...options,
    queryKey: key,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => load(pageParam),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  return { ...query, rows: query.data?.pages.flatMap((page) => page.data) ?? [] };
}
