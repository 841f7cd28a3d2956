import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';

type Props = { title: string; says: string; secret: string; onClose: () => void };

/** Something that is shown once and never again. */
export function Once({ title, says, secret, onClose }: Props) {
  const t = useT();
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{says}</p>
      <code className="rounded-md bg-hover p-2 break-all">{secret}</code>
      <div className="flex justify-end gap-2">
        <Button onClick={() => void navigator.clipboard.writeText(secret)}>{t('act.copy')}</Button>
        <Button kind="primary" onClick={onClose}>
          {t('act.done')}
        </Button>
      </div>
    </Dialog>
  );
}
