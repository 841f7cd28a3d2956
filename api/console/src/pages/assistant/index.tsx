import { useRef, useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { SelectField } from '../../ui/Field';
import { Card, Coming } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useBrands, useInboxes } from '../settings/data';
import { useAssistants, useRemoveAssistant, useSetAssistant, type Whose } from './data';
import { Bounds, Words } from './Fields';
import { settingsOf } from './form';
import { Tools } from './Tools';
import { Try } from './Try';
import { Usage } from './Usage';

type Kept = Schemas['AssistantSettingsOf'];

const COMPANY: Whose = { scope: 'company', target: null };

/** What the assistant of the company, a brand or an inbox goes by: the most specific holds, whole. */
export function Assistant() {
  const t = useT();
  const assistants = useAssistants();
  const [target, setTarget] = useState('');
  const all = useWhose();
  const nameOf = (id: string | null) =>
    all.find((one) => (one.target ?? '') === (id ?? ''))?.name ?? id ?? '';
  const whose = all.find((one) => (one.target ?? '') === target) ?? COMPANY;
  const own = assistants.rows.find((one) => (one.target ?? '') === target);
  const shown = own ?? assistants.rows[0];
  return (
    <>
      <div className="max-w-md">
        <SelectField
          label={t('assistant.whose')}
          value={target}
          choices={all.map((one) => [one.target ?? '', one.name] as const)}
          onChange={(e) => setTarget(e.target.value)}
        />
      </div>
      <ProblemNote error={assistants.error} onRetry={() => void assistants.refetch()} />
      {assistants.isPending && <Coming says={t('list.loading')} rows={8} />}
      {shown && (
        <Form
          key={`${target} ${shown.version} ${own ? 'own' : 'wider'}`}
          whose={{ scope: whose.scope, target: whose.target }}
          kept={shown}
          isOwn={own !== undefined}
        />
      )}
      <Tools />
      <Usage nameOf={nameOf} />
    </>
  );
}

/** Everything that may have an assistant of its own. */
function useWhose(): (Whose & { name: string })[] {
  const t = useT();
  const brands = useBrands().rows;
  const inboxes = useInboxes().rows;
  return [
    { scope: 'company', target: null, name: t('assistant.company') },
    ...brands.map((one) => ({
      scope: 'brand' as const,
      target: one.id,
      name: t('assistant.brand', { name: one.display_name }),
    })),
    ...inboxes.map((one) => ({
      scope: 'inbox' as const,
      target: one.id,
      name: t('assistant.inbox', { name: one.name }),
    })),
  ];
}

function Form({ whose, kept, isOwn }: { whose: Whose; kept: Kept; isOwn: boolean }) {
  const t = useT();
  const may = useMay('edit_settings');
  const set = useSetAssistant();
  const form = useRef<HTMLFormElement>(null);
  const read = () => (form.current ? settingsOf(new FormData(form.current), kept.settings) : kept.settings);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = { ...whose, version: isOwn ? kept.version : 0, settings: read() };
    set.mutate(body, { onSuccess: () => toast(t('settings.saved')) });
  };
  const wrong = wrongIn(set.error);
  const fields = { settings: kept.settings, readOnly: !may, wrong };
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Card title={t('assistant.title')} aside={<Standing whose={whose} kept={kept} isOwn={isOwn} />}>
        <form ref={form} className="flex flex-col gap-3" onSubmit={submit}>
          <Words {...fields} />
          <Bounds {...fields} />
          <ProblemNote error={set.error} />
          {may && (
            <Button kind="primary" type="submit" className="self-start" disabled={set.isPending}>
              {t('assistant.save')}
            </Button>
          )}
        </form>
      </Card>
      {may && <Try whose={whose} settings={read} />}
    </div>
  );
}

/** Whose settings hold here, and how they are taken away. */
function Standing({ whose, kept, isOwn }: { whose: Whose; kept: Kept; isOwn: boolean }) {
  const t = useT();
  const may = useMay('edit_settings');
  const remove = useRemoveAssistant();
  const [asks, setAsks] = useState(false);
  if (!isOwn) return <span className="text-xs text-soft">{t('assistant.wider')}</span>;
  if (kept.version === 0) return <span className="text-xs text-soft">{t('assistant.defaults')}</span>;
  return (
    <span className="flex flex-wrap items-center gap-2 text-xs text-soft">
      {t('assistant.version', { n: kept.version })}
      <Time at={kept.changed_at} />
      {may && (
        <Button className="h-7" disabled={remove.isPending} onClick={() => setAsks(true)}>
          {t('assistant.remove')}
        </Button>
      )}
      <ProblemNote error={remove.error} />
      {asks && (
        <Confirm
          title={t('assistant.remove')}
          says={t('assistant.remove.says')}
          act={t('assistant.remove')}
          onConfirm={() => remove.mutate(whose)}
          onClose={() => setAsks(false)}
        />
      )}
    </span>
  );
}
