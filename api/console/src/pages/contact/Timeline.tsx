import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useT, type Key } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Card, Coming } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { useMessagesCsv, useTimeline } from './data';

type Entry = Schemas['TimelineEntry'];

/** Everything between the company and a person, the latest first. */
export function Timeline({ id, phone }: { id: string; phone: string | null }) {
  const t = useT();
  const pages = useTimeline(id);
  const csv = useMessagesCsv();
  const save = phone && (
    <Button disabled={csv.isPending} onClick={() => csv.mutate(phone)}>
      {t('timeline.csv')}
    </Button>
  );
  return (
    <Card title={t('timeline.title')} aside={save}>
      <ProblemNote error={csv.error} />
      <ProblemNote error={pages.error} onRetry={() => void pages.refetch()} />
      {pages.isPending && <Coming says={t('list.loading')} />}
      {pages.isSuccess && pages.rows.length === 0 && <p className="text-soft">{t('timeline.none')}</p>}
      <ol className="flex flex-col divide-y divide-line">
        {pages.rows.map((one) => (
          <li key={`${one.kind} ${one.id} ${one.at}`} className="flex flex-col gap-1 py-2">
            <span className="flex flex-wrap items-center gap-3 text-xs">
              <span className="font-medium">{t(`timeline.${one.kind}`)}</span>
              <span className="text-soft">
                <Time at={one.at} />
              </span>
              <Beside entry={one} />
            </span>
            <What entry={one} />
          </li>
        ))}
      </ol>
      {pages.hasNextPage && (
        <Button
          className="self-start"
          disabled={pages.isFetchingNextPage}
          onClick={() => void pages.fetchNextPage()}
        >
          {pages.isFetchingNextPage ? t('list.loading') : t('list.more')}
        </Button>
      )}
    </Card>
  );
}

/** How an entry stands, and where more of it is. */
function Beside({ entry }: { entry: Entry }) {
  const t = useT();
  const { message, campaign, text, phone } = entry;
  if (message) {
    return (
      <>
        <Pill state={message.status} />
        <Channel of={message.channel} />
        <Link to="/why" search={{ of: message.id }} className="underline">
          {t('nav.why')}
        </Link>
      </>
    );
  }
  if (campaign) return <Pill state={campaign.state} />;
  const written = text ?? phone;
  return written && <Channel of={written.channel} />;
}

const Channel = ({ of }: { of: Schemas['Channel'] }) => {
  const t = useT();
  return <span className="text-soft">{t(`channel.${of}` as Key)}</span>;
};

/** What an entry says. */
function What({ entry }: { entry: Entry }) {
  const t = useT();
  const { message, text, phone, consent, note, campaign } = entry;
  if (campaign) {
    return (
      <Link to="/campaigns/$id" params={{ id: campaign.id }} className="underline">
        {campaign.name}
      </Link>
    );
  }
  if (consent) {
    const evidence = [consent.program, consent.basis, consent.source, consent.recorded_by];
    return (
      <p>
        {`${t(`consent.${consent.action}` as Key)} · ${t(`method.${consent.method}` as Key)}`}
        <span className="block text-xs text-soft">{evidence.filter(Boolean).join(' · ')}</span>
      </p>
    );
  }
  const body = message?.body ?? text?.body ?? phone?.body ?? note?.body;
  return (
    <p className="break-words whitespace-pre-wrap">
      {body || <span className="text-soft">{t('timeline.gone')}</span>}
      {note && <span className="block text-xs text-soft">{note.author}</span>}
      {message?.code && <code className="block text-xs text-soft">{message.code}</code>}
    </p>
  );
}
