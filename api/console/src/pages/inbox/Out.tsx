import { Link } from '@tanstack/react-router';
import { useT, type Key } from '../../i18n';
import { Clock, useFormat } from '../../i18n/format';
import { Pill } from '../../ui/Pill';
import type { Entry } from './rows';

/** A message to the contact: who has written it, where it stands, and what it costs. */
export function Out({ entry }: { entry: Entry }) {
  const t = useT();
  const format = useFormat();
  const { writer, status, cost, segments, campaign_id, code } = entry;
  const isAssistant = writer === 'assistant';
  const isOfPhone = entry.author === 'phone';
  const costs = t('inbox.costs', { segments: segments ?? 0, cost: format.money(cost) });
  return (
    <div className="flex flex-col items-end gap-0.5 py-1 pl-12">
      <div
        title={isOfPhone ? undefined : costs}
        className={`max-w-full rounded-md border px-3 py-2 break-words whitespace-pre-wrap ${
          isAssistant ? 'border-dashed border-held' : 'border-line'
        } bg-[color-mix(in_oklab,var(--accent)_9%,var(--sheet))]`}
      >
        {isAssistant && (
          <span className="block text-xs font-medium text-held">{`✦ ${t('inbox.owner.assistant')}`}</span>
        )}
        {entry.body ?? <span className="text-soft">{t('inbox.gone')}</span>}
      </div>
      <p className="flex flex-wrap items-center justify-end gap-x-2 text-xs text-soft">
        {status && <Pill state={status} />}
        {code && <span>{code}</span>}
        {writer === 'other' && entry.class && <span>{t(`class.${entry.class}` as Key)}</span>}
        {campaign_id && (
          <Link to="/campaigns/$id" params={{ id: campaign_id }} className="underline">
            {t('campaigns.name')}
          </Link>
        )}
        {isOfPhone ? (
          <span>{t('inbox.phone')}</span>
        ) : (
          <Link to="/why" search={{ of: entry.id }} className="underline">
            {t('nav.why')}
          </Link>
        )}
        <Clock at={entry.at} />
      </p>
    </div>
  );
}
