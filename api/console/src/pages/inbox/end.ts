import { useT } from '../../i18n';
import { toast } from '../../ui/Toast';
import type { useAct } from './acts';

/** Closes and opens again. What has left the list can be brought back for a while. */
export function useEnd(act: ReturnType<typeof useAct>) {
  const t = useT();
  const reopen = () => act.mutate('reopen');
  const away = (says: 'inbox.closed' | 'inbox.snoozed') =>
    toast(t(says), { label: t('act.undo'), run: reopen });
  const close = () => act.mutate('close', { onSuccess: () => away('inbox.closed') });
  return { close, reopen, away };
}
