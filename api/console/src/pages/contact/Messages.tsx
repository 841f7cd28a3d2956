import { Link } from '@tanstack/react-router';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Card, Coming } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { useMessages } from './data';

/** The latest messages to a person, each with the way to why. */
export function Messages({ phone }: { phone: string }) {
  const t = useT();
  const messages = useMessages(phone);
  return (
    <Card title={t('contact.messages')}>
      <ProblemNote error={messages.error} />
      {!messages.data && !messages.error && <Coming says={t('list.loading')} />}
      {messages.data?.data.length === 0 && <p className="text-soft">{t('contact.messages.none')}</p>}
      <ul className="flex flex-col divide-y divide-line">
        {messages.data?.data.map((one) => (
          <li key={one.id} className="flex flex-col gap-1 py-2">
            <span className="flex flex-wrap items-center gap-3">
              <Pill state={one.status} />
              <span className="text-xs text-soft">
                <Time at={one.submitted_at} />
              </span>
              <Link to="/why" search={{ of: one.id }} className="text-xs underline">
                {t('nav.why')}
              </Link>
            </span>
            <span className="break-words">{one.body}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
