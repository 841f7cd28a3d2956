import { useT, type Key } from '../i18n';

const LOOKS: Record<string, [colour: string, sign: string]> = {
  delivered: ['text-delivered', '✓'],
  read: ['text-delivered', '✓'],
  completed: ['text-delivered', '✓'],
  on: ['text-delivered', '✓'],
  pass: ['text-delivered', '✓'],
  admit: ['text-delivered', '✓'],
  approved: ['text-delivered', '✓'],
  in_force: ['text-delivered', '✓'],
  active: ['text-delivered', '✓'],
  healthy: ['text-delivered', '✓'],
  green: ['text-delivered', '✓'],
  owned: ['text-sent', '•'],
  submitted: ['text-sent', '•'],
  sent: ['text-sent', '↗'],
  queued: ['text-sent', '↗'],
  accepted: ['text-sent', '•'],
  running: ['text-sent', '●'],
  starting: ['text-sent', '●'],
  deferred: ['text-waiting', '◷'],
  defer: ['text-waiting', '◷'],
  waiting: ['text-waiting', '◷'],
  paused: ['text-waiting', '‖'],
  pending: ['text-waiting', '◷'],
  ordered: ['text-waiting', '◷'],
  releasing: ['text-waiting', '◷'],
  probing: ['text-waiting', '◷'],
  yellow: ['text-waiting', '◷'],
  quarantined: ['text-held', '‖'],
  held: ['text-held', '‖'],
  hold: ['text-held', '‖'],
  blocked: ['text-blocked', '⊘'],
  block: ['text-blocked', '⊘'],
  stopped: ['text-blocked', '■'],
  cancelled: ['text-blocked', '⊘'],
  expired: ['text-blocked', '⊘'],
  expire: ['text-blocked', '⊘'],
  draft: ['text-blocked', '✎'],
  failed: ['text-failed', '✕'],
  fail: ['text-failed', '✕'],
  red: ['text-failed', '✕'],
  disabled: ['text-failed', '✕'],
  gone: ['text-blocked', '⊘'],
  archived: ['text-blocked', '⊘'],
  rejected: ['text-failed', '✕'],
  in_doubt: ['text-doubt', '?'],
  unknown: ['text-doubt', '?'],
};

/** The colour of a state. */
export const colourOf = (state: string) => LOOKS[state]?.[0] ?? 'text-soft';

/** A state, with its sign and its word: colour is never alone. */
export function Pill({ state }: { state: string }) {
  const t = useT();
  const [colour, sign] = LOOKS[state] ?? ['text-soft', '•'];
  return (
    <span className={`inline-flex items-center gap-1 text-xs font-medium whitespace-nowrap ${colour}`}>
      <span aria-hidden="true">{sign}</span>
      {t(`state.${state}` as Key)}
    </span>
  );
}
