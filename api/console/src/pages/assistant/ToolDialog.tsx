import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { TextArea, TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { objectOf } from './schema';
import { ToolTrial } from './ToolTrial';
import { useChangeTool, useNewTool, useRemoveTool } from './data';

const FORM = { type: 'object', properties: { order: { type: 'string' } }, required: ['order'] };

type Props = { tool: Schemas['AssistantTool'] | null; onClose: () => void };

/** One tool: what the model reads of it, where it is called, a trial of it, and the way out. */
export function ToolDialog({ tool, onClose }: Props) {
  const t = useT();
  const make = useNewTool();
  const change = useChangeTool();
  const remove = useRemoveTool();
  const [asks, setAsks] = useState(false);
  const [schema, setSchema] = useState(() => JSON.stringify(tool?.input_schema ?? FORM, null, 2));
  const input_schema = objectOf(schema);
  const act = tool ? change : make;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!input_schema) return;
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const body = {
      name: text('name'),
      description: text('description'),
      url: text('url'),
      input_schema,
      ...(text('secret') ? { secret: text('secret') } : {}),
    };
    const onSuccess = () => {
      toast(t('settings.saved'));
      onClose();
    };
    if (tool) change.mutate({ id: tool.id, body }, { onSuccess });
    else make.mutate(body, { onSuccess });
  };
  const wrong = wrongIn(act.error);
  if (tool && asks) {
    return (
      <Confirm
        title={t('tools.remove')}
        says={t('tools.remove.says')}
        act={t('tools.remove')}
        onConfirm={() => remove.mutate(tool.id, { onSuccess: onClose })}
        onClose={() => setAsks(false)}
      />
    );
  }
  return (
    <Dialog wide title={tool?.name ?? t('tools.new')} onClose={onClose}>
      <form className="flex flex-col gap-3" autoComplete="off" onSubmit={submit}>
        <TextField
          name="name"
          required
          label={t('field.name')}
          hint={t('carrier.name.hint')}
          defaultValue={tool?.name}
          error={wrong('name')}
        />
        <TextArea
          name="description"
          required
          rows={2}
          label={t('tools.for')}
          defaultValue={tool?.description}
          error={wrong('description')}
        />
        <TextField
          name="url"
          type="url"
          required
          label={t('tools.url')}
          hint={t('tools.url.hint')}
          defaultValue={tool?.url}
          error={wrong('url')}
        />
        <TextArea
          rows={6}
          spellCheck={false}
          className="font-mono text-xs"
          label={t('tools.schema')}
          value={schema}
          onChange={(e) => setSchema(e.target.value)}
          error={input_schema ? wrong('input_schema') : t('policy.json')}
        />
        <TextField
          name="secret"
          type="password"
          autoComplete="new-password"
          label={t('tools.secret')}
          hint={t('tools.secret.hint')}
          error={wrong('secret')}
        />
        <ProblemNote error={act.error ?? remove.error} />
        <div className="flex justify-between gap-2">
          {tool && (
            <Button kind="danger" onClick={() => setAsks(true)}>
              {t('tools.remove')}
            </Button>
          )}
          <Button kind="primary" type="submit" disabled={act.isPending}>
            {t('act.save')}
          </Button>
        </div>
      </form>
      {tool && <ToolTrial id={tool.id} />}
    </Dialog>
  );
}
