import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';
import { usePages } from '../../api/lists';

export function useTemplates() {
  return usePages(['templates'], (cursor) =>
    ask(api.GET('/v1/templates', { params: { query: { limit: 100, ...(cursor ? { cursor } : {}) } } })),
  );
}

export function useTemplate(id: string) {
  return useQuery({
    queryKey: ['template', id],
    enabled: id !== 'new',
    queryFn: () => ask(api.GET('/v1/templates/{id}', { params: { path: { id } } })),
  });
}

/** What a template says and has said, the newest first. */
export function useVersions(id: string) {
  return usePages(['template-versions', id], (cursor) => {
    const query = { limit: 20, ...(cursor ? { cursor } : {}) };
    return ask(api.GET('/v1/templates/{id}/versions', { params: { path: { id }, query } }));
  });
}

/** Makes a template, or the next version of one. */
export function useSave(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, ...body }: Schemas['NewTemplate']) =>
      id === 'new'
        ? ask(api.POST('/v1/templates', { body: { name, ...body } }))
        : ask(api.POST('/v1/templates/{id}/versions', { params: { path: { id } }, body })),
    onSuccess: (template) => {
      queries.setQueryData(['template', template.id], template);
      void queries.invalidateQueries({ queryKey: ['templates'] });
      void queries.invalidateQueries({ queryKey: ['template-versions', template.id] });
    },
  });
}

/** What a text becomes, rendered and counted by the code that sends. */
export function usePreview(trial: Schemas['TemplateTrial']) {
  return useQuery({
    queryKey: ['preview-text', trial],
    enabled: trial.body.trim() !== '',
    retry: false,
    placeholderData: (before: Schemas['TemplatePreview'] | undefined) => before,
    queryFn: () => ask(api.POST('/v1/templates/preview', { body: trial })),
  });
}

/** What every text of a saved template becomes. */
export function useSavedPreview(id: string | undefined) {
  return useQuery({
    queryKey: ['preview-template', id],
    enabled: id !== undefined && id !== '',
    retry: false,
    queryFn: () =>
      ask(api.POST('/v1/templates/{id}/preview', { params: { path: { id: id ?? '' } }, body: {} })),
  });
}
