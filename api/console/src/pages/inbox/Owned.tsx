import type { Schemas } from '../../api/client';
import { useMay, useMe } from '../../api/me';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { ProblemNote } from '../../ui/Problem';
import type { useAct } from './acts';
import { useNames } from './data';

type Props = { conversation: Schemas['Conversation']; act: ReturnType<typeof useAct> };

/** Who answers next, and how a person takes over from the assistant and hands back. */
export function Owned({ conversation, act }: Props) {
  const t = useT();
  const may = useMay('send_messages');
  const me = useMe().data?.person?.id;
  const names = useNames();
  const { owner, assignee, attention } = conversation;
  const isMine = owner === 'person' && (assignee === me || !assignee);
  const name = (assignee && names.of(assignee)) || t('inbox.owner.person');
  const says = {
    assistant: t('inbox.owned.assistant'),
    nobody: t('inbox.owned.nobody'),
    person: assignee === me ? t('inbox.owned.me') : t('inbox.owned.person', { name }),
  };
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-2 border-b border-line bg-hover px-3 py-1.5">
        <p role="status">
          {owner === 'assistant' && <span aria-hidden="true">{'✦ '}</span>}
          {says[owner]}
          {attention && <span className="text-waiting">{` ${t(`inbox.attention.${attention}.says`)}`}</span>}
        </p>
        {may && (
          <span className="flex gap-2">
            {owner === 'person' && (
              <Button className="h-7" disabled={act.isPending} onClick={() => act.mutate('hand-back')}>
                {t('inbox.hand.back')}
              </Button>
            )}
            {!isMine && (
              <Button
                kind={owner === 'person' ? 'plain' : 'primary'}
                className="h-7"
                disabled={act.isPending}
                onClick={() => act.mutate('take-over')}
              >
                {t('inbox.take.over')}
              </Button>
            )}
          </span>
        )}
      </div>
      <ProblemNote error={act.error} />
    </>
  );
}
