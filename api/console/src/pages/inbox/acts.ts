import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';
import { readNewest } from './data';

type Conversation = Schemas['Conversation'];
export type Act = 'take-over' | 'hand-back' | 'close' | 'reopen' | 'read';

const of = (id: string) => ({ params: { path: { id } } });

/** Runs what somebody does with a conversation, and shows it as the api answers. */
function useDone<I>(id: string, run: (input: I) => Promise<Conversation>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: (conversation) => {
      queries.setQueryData(['conversation', id], conversation);
      void queries.invalidateQueries({ queryKey: ['conversations'] });
      void queries.invalidateQueries({ queryKey: ['of', 'dashboard'] });
      void readNewest(queries, id);
    },
  });
}

/** Takes it over, hands it back, closes it, reopens it, or says that it is read. */
export const useAct = (id: string) =>
  useDone(id, (act: Act) => {
    if (act === 'take-over') return ask(api.POST('/v1/conversations/{id}/take-over', of(id)));
    if (act === 'hand-back') return ask(api.POST('/v1/conversations/{id}/hand-back', of(id)));
    if (act === 'close') return ask(api.POST('/v1/conversations/{id}/close', of(id)));
    if (act === 'reopen') return ask(api.POST('/v1/conversations/{id}/reopen', of(id)));
    return ask(api.POST('/v1/conversations/{id}/read', of(id)));
  });

/** Says who looks after it, or in which inbox. */
export const useAssign = (id: string) =>
  useDone(id, (body: Schemas['Assignment']) =>
    ask(api.POST('/v1/conversations/{id}/assign', { ...of(id), body })),
  );

/** Leaves it alone until an instant. */
export const useSnooze = (id: string) =>
  useDone(id, (until: Date) =>
    ask(api.POST('/v1/conversations/{id}/snooze', { ...of(id), body: { until: until.toISOString() } })),
  );

/** Says which labels it has. */
export const useLabels = (id: string) =>
  useDone(id, (labels: string[]) =>
    ask(api.PUT('/v1/conversations/{id}/labels', { ...of(id), body: { labels } })),
  );

type Draft = { body: string; key: string };

/** The header by which a repeat of a request is the same request. */
const once = (id: string, key: string) => ({
  params: { path: { id }, header: { 'Idempotency-Key': key } },
});

/** Answers as a person. */
export function useReply(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ body, key }: Draft) =>
      ask(api.POST('/v1/conversations/{id}/reply', { ...once(id, key), body: { body } })),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['conversation', id] });
      void queries.invalidateQueries({ queryKey: ['conversations'] });
      void readNewest(queries, id);
    },
  });
}

/** Writes a note, which the contact never sees. */
export function useNote(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ body, key }: Draft) =>
      ask(api.POST('/v1/conversations/{id}/notes', { ...once(id, key), body: { body } })),
    onSuccess: () => void readNewest(queries, id),
  });
}

const preview = (id: string, body: Schemas['NewReply']) =>
  ask(api.POST('/v1/conversations/{id}/preview', { ...of(id), body }));

/** What a text would be as a reply: its segments, its alphabet, its price. */
export function usePreview(id: string, body: string) {
  return useQuery({
    queryKey: ['reply-preview', id, body],
    enabled: body !== '',
    retry: false,
    placeholderData: (before: Schemas['ReplyPreview'] | undefined) => before,
    queryFn: () => preview(id, { body }),
  });
}

/** The text of an answer that is kept at hand, filled in for this contact. */
export function useFillIn(id: string) {
  return useMutation({
    mutationFn: ({ answer, variables }: { answer: string; variables: Record<string, string> }) =>
      preview(id, { canned_answer: answer, variables }),
  });
}
