import { useT } from '../../i18n';
import { left, span } from './times';

const ROUND = 2 * Math.PI * 6;

/** How long a reply may still be sent, as a ring that runs down. */
export function Ring({ seconds }: { seconds: number }) {
  const t = useT();
  const says = seconds > 0 ? t('inbox.window', { left: span(seconds) }) : t('inbox.window.over');
  const colour = seconds > 3600 ? 'text-delivered' : seconds > 0 ? 'text-waiting' : 'text-blocked';
  return (
    <svg role="img" aria-label={says} width="16" height="16" viewBox="0 0 16 16" className={colour}>
      <title>{says}</title>
      <circle cx="8" cy="8" r="6" fill="none" stroke="var(--line)" strokeWidth="3" />
      <circle
        cx="8"
        cy="8"
        r="6"
        fill="none"
        stroke="currentColor"
        strokeWidth="3"
        strokeDasharray={`${ROUND * left(seconds)} ${ROUND}`}
        transform="rotate(-90 8 8)"
      />
    </svg>
  );
}
