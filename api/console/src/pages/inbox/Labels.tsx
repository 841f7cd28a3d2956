import type { FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { useLabels } from './acts';

type Props = { conversation: Schemas['Conversation']; onClose: () => void };

/** Says which labels a conversation has, all of them. */
export function LabelsDialog({ conversation, onClose }: Props) {
  const t = useT();
  const labels = useLabels(conversation.id);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget).get('labels') ?? '');
    const names = text
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    labels.mutate(names, { onSuccess: onClose });
  };
  return (
    <Dialog title={t('inbox.labels')} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <TextField
          name="labels"
          label={t('inbox.labels')}
          hint={t('inbox.labels.hint')}
          defaultValue={conversation.labels.join(', ')}
        />
        <ProblemNote error={labels.error} />
        <Button kind="primary" type="submit" disabled={labels.isPending}>
          {t('act.save')}
        </Button>
      </form>
    </Dialog>
  );
}
