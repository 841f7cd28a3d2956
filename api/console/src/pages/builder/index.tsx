import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { api, ask, type Schemas } from '../../api/client';
import { useT, type Key } from '../../i18n';
import { Button } from '../../ui/Button';
import { Page } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { useSavedPreview } from '../templates/data';
import { Phone } from '../templates/Preview';
import { CheckStep } from './Check';
import { bodyOf, EMPTY, type Draft } from './draft';
import { MessageStep } from './Message';
import { AudienceStep, SendersStep } from './Steps';

const STEPS = ['audience', 'message', 'senders', 'check'] as const;
type Step = (typeof STEPS)[number];

/** A campaign in four steps: whom, what, from where, and what it would come to. */
export default function Builder() {
  const t = useT();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [step, setStep] = useState<Step>('audience');
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [made, setMade] = useState<Schemas['Campaign'] | null>(null);
  const form = useRef<HTMLFormElement>(null);
  // Who goes on by keys goes on in the first field of the step.
  useEffect(() => form.current?.querySelector<HTMLElement>('input, select, textarea')?.focus(), [step]);
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });

  const save = useMutation({
    mutationFn: () =>
      made ? update(made.id, draft) : ask(api.POST('/v1/campaigns', { body: bodyOf(draft) })),
    onSuccess: (campaign) => {
      setMade(campaign);
      setStep('check');
      void queries.invalidateQueries({ queryKey: ['campaigns'] });
      void queries.invalidateQueries({ queryKey: ['simulation', campaign.id] });
    },
  });
  const index = STEPS.indexOf(step);
  const next = () => (step === 'senders' ? save.mutate() : setStep(STEPS[index + 1] ?? 'check'));
  return (
    <Page title={t('campaigns.new')} sentence={t(`builder.${step}.says` as Key)}>
      <ol className="flex flex-wrap gap-4" aria-label={t('builder.steps')}>
        {STEPS.map((one, i) => (
          <li key={one} aria-current={one === step ? 'step' : undefined}>
            <button
              type="button"
              disabled={i > index}
              onClick={() => setStep(one)}
              className={one === step ? 'font-semibold underline' : 'text-soft'}
            >
              {`${i + 1}. ${t(`builder.${one}` as Key)}`}
            </button>
          </li>
        ))}
      </ol>
      <div className="grid gap-6 lg:grid-cols-[minmax(0,560px)_1fr]">
        <form
          ref={form}
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            next();
          }}
        >
          {step === 'audience' && <AudienceStep draft={draft} change={change} />}
          {step === 'message' && <MessageStep draft={draft} change={change} />}
          {step === 'senders' && <SendersStep draft={draft} change={change} />}
          {step === 'check' && made && (
            <CheckStep
              campaign={made}
              onStarted={() => void navigate({ to: '/campaigns/$id', params: { id: made.id } })}
            />
          )}
          <ProblemNote error={save.error} />
          {step !== 'check' && (
            <Button kind="primary" type="submit" className="self-start" disabled={save.isPending}>
              {step === 'senders' ? t('builder.save') : t('builder.next')}
            </Button>
          )}
        </form>
        {draft.content === 'own' && <Phones template={draft.template_id} />}
      </div>
    </Page>
  );
}

const update = (id: string, draft: Draft) =>
  ask(api.PATCH('/v1/campaigns/{id}', { params: { path: { id } }, body: bodyOf(draft) }));

/** Every text of the template, as phones show them. */
function Phones({ template }: { template: string }) {
  const t = useT();
  const previews = useSavedPreview(template).data?.previews ?? [];
  if (previews.length === 0) return null;
  return (
    <aside aria-label={t('builder.preview')} className="flex flex-col gap-4">
      {previews.map((one) => (
        <Phone
          key={`${one.variant} ${one.language}`}
          preview={one}
          title={`${one.variant} · ${one.language}`}
        />
      ))}
    </aside>
  );
}
