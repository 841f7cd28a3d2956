import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Card, Coming } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { useEndSession, useSessions } from './data';

/** Where the person has signed in, and a way to end each. */
export function Sessions() {
  const t = useT();
  const sessions = useSessions();
  const end = useEndSession();
  return (
    <Card title={t('settings.sessions')}>
      <ProblemNote error={sessions.error ?? end.error} />
      {!sessions.data && !sessions.error && <Coming says={t('list.loading')} />}
      <ul className="flex flex-col gap-2">
        {sessions.data?.data.map((one) => (
          <li key={one.id} className="flex flex-wrap items-center gap-3">
            <Time at={one.used_at} />
            {one.is_current ? (
              <span className="text-soft">{t('sessions.this')}</span>
            ) : (
              <Button className="h-7" onClick={() => end.mutate(one.id)}>
                {t('sessions.end')}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}
