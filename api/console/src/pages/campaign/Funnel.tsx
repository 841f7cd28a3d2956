import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useT, type Key } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { colourOf } from '../../ui/Pill';

const STATES = [
  'accepted',
  'deferred',
  'held',
  'queued',
  'in_doubt',
  'sent',
  'delivered',
  'read',
  'failed',
  'blocked',
  'cancelled',
  'expired',
  'unknown',
];

type Props = { campaign: Schemas['Campaign']; totals: Schemas['Totals']; thin?: boolean };

/** Where the people of a campaign are: a bar for each state, as long as its part of the audience.
 *  Every bar opens the recipients behind it. */
export function Funnel({ campaign, totals, thin }: Props) {
  const t = useT();
  const format = useFormat();
  const counts = totals.totals;
  const shown = STATES.filter((state) => (counts[state] ?? 0) > 0);
  const most = Math.max(campaign.audience_size, ...shown.map((state) => counts[state] ?? 0), 1);
  return (
    <div className="flex flex-col gap-1" data-testid="funnel">
      {!thin && (
        <Bar label={t('campaigns.audience')} count={format.number(campaign.audience_size)} part={1} />
      )}
      {shown.map((state) => (
        <Link
          key={state}
          to="/campaigns/$id"
          params={{ id: campaign.id }}
          search={{ state }}
          className={`block rounded hover:bg-hover ${colourOf(state)}`}
        >
          <Bar
            label={t(`state.${state}` as Key)}
            count={format.number(counts[state])}
            part={(counts[state] ?? 0) / most}
            beside={state === 'blocked' && !thin ? gates(counts, t) : undefined}
          />
        </Link>
      ))}
    </div>
  );
}

/** How many each gate has stopped. */
function gates(counts: Record<string, number>, t: ReturnType<typeof useT>) {
  const stopped = Object.entries(counts).filter(([name, n]) => name.startsWith('blocked.') && n > 0);
  return stopped.map(([name, n]) => `${t(`gate.${name.slice(8)}` as Key)} ${n}`).join(', ');
}

type BarProps = { label: string; count: string; part: number; beside?: string | undefined };

function Bar({ label, count, part, beside }: BarProps) {
  return (
    <span className="grid grid-cols-[84px_64px_1fr] items-center gap-2 px-1 text-xs">
      <span className="text-ink">{label}</span>
      <span className="text-right font-semibold">{count}</span>
      <span className="flex min-w-0 items-center gap-2">
        <svg
          aria-hidden="true"
          className="h-3 w-full max-w-96 shrink"
          preserveAspectRatio="none"
          viewBox="0 0 100 3"
        >
          <rect width={Math.max(part * 100, 0.4)} height="3" rx="0.4" fill="currentColor" />
        </svg>
        {beside && <span className="truncate text-soft">{beside}</span>}
      </span>
    </span>
  );
}
