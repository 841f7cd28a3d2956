import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useT, type Key } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Card } from '../../ui/Page';
import { colourOf, Pill } from '../../ui/Pill';
import { Cancel } from './Cancel';

/** What each stage decided about a message, from its acceptance to its end. */
export function Passport({ message }: { message: Schemas['Message'] }) {
  const t = useT();
  const format = useFormat();
  return (
    <Card title={message.to} aside={<Pill state={message.status} />}>
      <p className="text-base font-semibold">{message.sentence}</p>
      <p className="rounded-md bg-hover p-3 break-words whitespace-pre-wrap">{message.body}</p>
      <p className="flex flex-wrap gap-3 text-xs text-soft">
        <span>{t(`class.${message.class}` as Key)}</span>
        <span>{t('why.segments', { n: message.segments })}</span>
        <span>{format.money(message.cost)}</span>
        {message.campaign_id && (
          <Link to="/campaigns/$id" params={{ id: message.campaign_id }} className="underline">
            {t('why.campaign')}
          </Link>
        )}
        <Link to="/contacts/$id" params={{ id: message.contact_id }} className="underline">
          {t('why.person')}
        </Link>
      </p>
      {message.error && (
        <p>
          {message.error.cause} <strong>{message.error.next_step}</strong>
        </p>
      )}
      <Cancel message={message} />
      <ol className="flex flex-col gap-3 border-l-2 border-line pl-4" aria-label={t('why.passport')}>
        <Step at={message.submitted_at} verdict="accepted" says={t('passport.submitted')} />
        {message.passport.map((stamp, index) => (
          <Stamp key={index} stamp={stamp} />
        ))}
      </ol>
    </Card>
  );
}

function Stamp({ stamp }: { stamp: Schemas['Stamp'] }) {
  const t = useT();
  const gate = stamp.gate && t(`gate.${stamp.gate}` as Key);
  const why = [gate, stamp.reason ?? stamp.code?.replaceAll('_', ' ')].filter(Boolean).join(': ');
  const says = t('passport.step', {
    stage: t(`stage.${stamp.stage}` as Key),
    verdict: t(`verdict.${stamp.verdict}` as Key),
  });
  return <Step at={stamp.at} verdict={stamp.verdict} says={why ? `${says}: ${why}` : says} />;
}

function Step({ at, verdict, says }: { at: string; verdict: string; says: string }) {
  return (
    <li className="flex flex-col gap-0.5">
      <span className="text-xs text-soft">
        <Time at={at} />
      </span>
      <span className={colourOf(verdict)}>{says}</span>
    </li>
  );
}
