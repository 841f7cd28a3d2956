import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { api, ask } from '../../api/client';
import { usePages } from '../../api/lists';
import { useMe } from '../../api/me';
import { useTold } from '../../live/told';
import { useInboxes, useUsers } from '../settings/data';
import { queryOf, type Filters } from './filters';
import { moves, withNewest, type Pages } from './rows';

const of = (id: string) => ({ params: { path: { id } } });
const page = (limit: number, cursor?: string) => ({ limit, ...(cursor ? { cursor } : {}) });

/** The conversations that the filters let through, the one with the newest text first. */
export function useConversations(filters: Filters) {
  const me = useMe().data?.person?.id;
  const query = queryOf(filters, me);
  return usePages(['conversations', query], (cursor) =>
    ask(api.GET('/v1/conversations', { params: { query: { ...query, ...page(50, cursor) } } })),
  );
}

/** Conversations with something that nobody has read: asked for again as texts come. */
export function useUnread() {
  return useQuery({
    queryKey: ['of', 'dashboard', 'unread'],
    queryFn: () => ask(api.GET('/v1/conversations', { params: { query: { unread: true, ...page(50) } } })),
  });
}

/** Conversations that a person is to look at for a reason. */
export function useAttention() {
  return useQuery({
    queryKey: ['of', 'dashboard', 'attention'],
    queryFn: () => ask(api.GET('/v1/conversations', { params: { query: { attention: true, ...page(5) } } })),
  });
}

/** Conversations whose name, address or last text holds this. */
export function useFound(q: string) {
  return useQuery({
    queryKey: ['conversations', 'found', q],
    enabled: q.length > 2,
    queryFn: () => ask(api.GET('/v1/conversations', { params: { query: { q, ...page(5) } } })),
  });
}

export function useConversation(id: string) {
  return useQuery({
    queryKey: ['conversation', id],
    queryFn: () => ask(api.GET('/v1/conversations/{id}', of(id))),
  });
}

/** How many entries of a thread are read at once. */
const THREAD = 100;

const entries = (id: string, cursor?: string) =>
  ask(
    api.GET('/v1/conversations/{id}/messages', {
      params: { path: { id }, query: page(THREAD, cursor) },
    }),
  );

/** What stands in a conversation, the newest first. Only its newest page is ever read again. */
export function useThread(id: string) {
  const queries = useQueryClient();
  const thread = usePages(['thread', id], (cursor) => entries(id, cursor), { staleTime: Infinity });
  // A thread that was open before is brought up to date; a new one is not there yet.
  useEffect(() => void readNewest(queries, id), [queries, id]);
  return thread;
}

/** Reads the newest page of a thread again, where the thread is known. */
export async function readNewest(queries: QueryClient, id: string) {
  if (!queries.getQueryData(['thread', id])) return;
  const newest = await entries(id).catch(() => null);
  if (!newest) return;
  queries.setQueryData<Pages>(['thread', id], (known) => known && withNewest(known, newest));
}

/** Keeps an open conversation as it is: told of it, and of totals while a message is on its way. */
export function useLiveConversation(id: string) {
  const queries = useQueryClient();
  useTold([`conversation:${id}`], () => {
    void queries.invalidateQueries({ queryKey: ['conversation', id] });
    void readNewest(queries, id);
  });
  useTold(
    ['dashboard'],
    () => {
      const known = queries.getQueryData<Pages>(['thread', id]);
      if (known && moves(known.pages[0]?.data ?? [])) void readNewest(queries, id);
    },
    2_000,
  );
}

/** How many inboxes are listened to: an answer tells of eight topics at most. */
const INBOXES = 6;

/** Keeps the list as it is: told of its inboxes, and when other conversations are unread. */
export function useLiveList(inbox: string | undefined) {
  const queries = useQueryClient();
  const inboxes = useInboxes().rows.filter((one) => (inbox ? one.id === inbox : !one.archived_at));
  const again = () => {
    void queries.invalidateQueries({ queryKey: ['conversations'] });
    void queries.invalidateQueries({ queryKey: ['of', 'dashboard', 'unread'] });
  };
  useTold(
    inboxes.slice(0, INBOXES).map((one) => `inbox:${one.id}`),
    again,
    2_000,
  );
  const unread = useUnread()
    .data?.data.map((one) => `${one.id} ${one.version}`)
    .join();
  useEffect(() => {
    if (unread !== undefined) void queries.invalidateQueries({ queryKey: ['conversations'] });
  }, [unread, queries]);
}

/** The answers that are kept at hand, once somebody looks for one. */
export function useCanned(enabled: boolean) {
  return usePages(
    ['canned'],
    (cursor) => ask(api.GET('/v1/canned-answers', { params: { query: page(100, cursor) } })),
    { enabled },
  );
}

/** What an attachment is, and where it is read. The address is good for 15 minutes. */
export function useMedia(id: string) {
  return useQuery({
    queryKey: ['media', id],
    staleTime: 10 * 60_000,
    queryFn: () => ask(api.GET('/v1/media/{id}', of(id))),
  });
}

/** Texts to numbers of the company that are none of its senders. */
export const useQuarantined = () =>
  usePages(['quarantined'], (cursor) =>
    ask(api.GET('/v1/quarantined-texts', { params: { query: page(100, cursor) } })),
  );

/** Says who a person is: by name where the caller may know it. */
export function useNames() {
  const me = useMe().data;
  const mayList = me?.permissions.includes('manage_people') ?? false;
  const users = useUsers(mayList).rows;
  const own = me?.person;
  return useMemo(() => {
    const names = new Map(users.map((one) => [one.id, one.name]));
    if (own) names.set(own.id, own.name);
    return { people: [...names], of: (id: string) => names.get(id) };
  }, [users, own]);
}
