import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextArea, TextField } from '../../ui/Field';
import { List } from '../../ui/List';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import type { Column } from '../../ui/Table';
import { useCanned, useChangeCanned, useNewCanned, useRemoveCanned } from './data';

type Answer = Schemas['CannedAnswer'];

/** Texts that people keep at hand for replies. */
export function Canned() {
  const t = useT();
  const may = useMay('edit_campaigns');
  const make = useNewCanned();
  const remove = useRemoveCanned();
  const [open, setOpen] = useState<Answer | 'new' | null>(null);
  const take = ({ id, name, body }: Answer) => {
    const undo = () => make.mutate({ name, body });
    const onSuccess = () => toast(t('canned.removed', { name }), { label: t('act.undo'), run: undo });
    remove.mutate(id, { onSuccess });
  };
  const columns: Column<Answer>[] = [
    { name: t('field.name'), cell: (one) => <span className="font-medium">{one.name}</span> },
    { name: t('canned.body'), cell: (one) => <span className="line-clamp-2">{one.body}</span>, wide: true },
    { name: t('canned.required'), cell: (one) => one.required.join(', '), wide: true },
    { name: t('field.changed'), cell: (one) => <Time at={one.changed_at} />, wide: true },
    {
      name: t('field.act'),
      cell: (one) =>
        may && (
          <span className="flex gap-1">
            <Button className="h-7" onClick={() => setOpen(one)}>
              {t('act.edit')}
            </Button>
            <Button className="h-7" disabled={remove.isPending} onClick={() => take(one)}>
              {t('act.remove')}
            </Button>
          </span>
        ),
    },
  ];
  return (
    <>
      {may && (
        <Button kind="primary" className="self-start" onClick={() => setOpen('new')}>
          {t('canned.new')}
        </Button>
      )}
      <ProblemNote error={remove.error ?? make.error} />
      <List
        label={t('settings.canned')}
        pages={useCanned()}
        columns={columns}
        idOf={(one) => one.id}
        empty={t('canned.empty')}
      />
      {open && <Write answer={open === 'new' ? null : open} onClose={() => setOpen(null)} />}
    </>
  );
}

/** Writes a new answer, or one anew. */
function Write({ answer, onClose }: { answer: Answer | null; onClose: () => void }) {
  const t = useT();
  const make = useNewCanned();
  const change = useChangeCanned();
  const act = answer ? change : make;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = { name: String(form.get('name')), body: String(form.get('body')) };
    if (answer) change.mutate({ id: answer.id, body }, { onSuccess: onClose });
    else make.mutate(body, { onSuccess: onClose });
  };
  const wrong = wrongIn(act.error);
  const title = answer ? t('canned.change', { name: answer.name }) : t('canned.new');
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <TextField
          name="name"
          required
          label={t('field.name')}
          defaultValue={answer?.name}
          error={wrong('name')}
        />
        <TextArea
          name="body"
          required
          rows={5}
          label={t('canned.body')}
          hint={t('canned.body.hint')}
          defaultValue={answer?.body}
          error={wrong('body')}
        />
        <ProblemNote error={act.error} />
        <Button kind="primary" type="submit" disabled={act.isPending}>
          {t('act.save')}
        </Button>
      </form>
    </Dialog>
  );
}
