import { useT, type Key } from '../i18n';
import { Dialog } from '../ui/Dialog';

const KEYS: [string, Key][] = [
  ['Ctrl K', 'keys.palette'],
  ['/', 'keys.search'],
  ['J  K', 'keys.rows'],
  ['Enter', 'keys.open'],
  ['R  N', 'keys.inbox.reply'],
  ['T', 'keys.inbox.take'],
  ['E', 'keys.inbox.close'],
  ['Ctrl Enter', 'keys.inbox.send'],
  ['Esc', 'keys.close'],
  ['?', 'keys.help'],
];

/** The keys that there are. */
export function KeysHelp({ onClose }: { onClose: () => void }) {
  const t = useT();
  return (
    <Dialog title={t('keys.title')} onClose={onClose}>
      <dl className="grid grid-cols-[80px_1fr] gap-2">
        {KEYS.map(([key, says]) => (
          <div key={key} className="contents">
            <dt>
              <kbd className="rounded border border-line px-1.5">{key}</kbd>
            </dt>
            <dd>{t(says)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
