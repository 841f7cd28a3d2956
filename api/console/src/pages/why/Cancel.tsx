import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useCancel } from './data';

/** Where a message may still be withdrawn. Whether it is too late, the api says. */
const OPEN = ['accepted', 'deferred', 'held', 'queued'];

/** Withdraws a message that waits. */
export function Cancel({ message }: { message: Schemas['Message'] }) {
  const t = useT();
  const may = useMay('cancel_messages');
  const cancel = useCancel();
  const [asks, setAsks] = useState(false);
  if (!may || !OPEN.includes(message.status)) return null;
  const run = () =>
    cancel.mutate(message.id, { onSuccess: (said) => toast(said.reason ?? t('why.cancel.done')) });
  return (
    <>
      <Button kind="danger" className="self-start" disabled={cancel.isPending} onClick={() => setAsks(true)}>
        {t('why.cancel')}
      </Button>
      <ProblemNote error={cancel.error} />
      {asks && (
        <Confirm
          title={t('why.cancel')}
          says={t('why.cancel.says', { to: message.to })}
          act={t('why.cancel')}
          onConfirm={run}
          onClose={() => setAsks(false)}
        />
      )}
    </>
  );
}
