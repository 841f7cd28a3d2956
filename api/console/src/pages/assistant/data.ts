import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';
import { usePages } from '../../api/lists';

/** Whose assistant it is: the company's, a brand's or an inbox's. */
export type Whose = { scope: Schemas['AssistantScope']; target: string | null };

const of = (id: string) => ({ params: { path: { id } } });
const page = (cursor?: string) => ({ params: { query: { limit: 100, ...(cursor ? { cursor } : {}) } } });

/** What the assistants go by, the company's first. */
export const useAssistants = () =>
  usePages(['assistants'], (cursor) => ask(api.GET('/v1/ai/settings', page(cursor))));

/** What they have used of their day. */
export const useUsage = () =>
  usePages(['assistants', 'usage'], (cursor) => ask(api.GET('/v1/ai/usage', page(cursor))));

/** Sets what an assistant goes by, after the version that was shown. */
export function useSetAssistant() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['AssistantSettingsChange']) => ask(api.PUT('/v1/ai/settings', { body })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['assistants'] }),
  });
}

/** Takes settings away, so that wider ones hold. */
export function useRemoveAssistant() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ scope, target }: Whose) => {
      const query = { scope, ...(target ? { target } : {}) };
      return ask(api.DELETE('/v1/ai/settings', { params: { query } }));
    },
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['assistants'] }),
  });
}

/** What an assistant would answer; nothing is sent. */
export const useTry = () =>
  useMutation({ mutationFn: (body: Schemas['AssistantTest']) => ask(api.POST('/v1/ai/test', { body })) });

/** What the assistant may look up. */
export const useTools = () => usePages(['tools'], (cursor) => ask(api.GET('/v1/ai/tools', page(cursor))));

/** Runs a change of the tools, after which they are read again. */
function useToolChange<I, O>(change: (input: I) => Promise<O>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['tools'] }),
  });
}

export const useNewTool = () =>
  useToolChange((body: Schemas['NewAssistantTool']) => ask(api.POST('/v1/ai/tools', { body })));
export const useChangeTool = () =>
  useToolChange(({ id, body }: { id: string; body: Schemas['AssistantToolChange'] }) =>
    ask(api.PATCH('/v1/ai/tools/{id}', { ...of(id), body })),
  );
export const useRemoveTool = () =>
  useToolChange((id: string) => ask(api.DELETE('/v1/ai/tools/{id}', of(id))));

/** Calls a tool once, as the assistant would. */
export const useToolTrial = () =>
  useMutation({
    mutationFn: ({ id, input }: { id: string; input: Record<string, never> }) =>
      ask(api.POST('/v1/ai/tools/{id}/test', { ...of(id), body: { input } })),
  });
