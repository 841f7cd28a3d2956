import { Link } from '@tanstack/react-router';
import { useT } from '../i18n';
import { Page } from '../ui/Page';
import { ProblemNote } from '../ui/Problem';

/** A page that could not be shown. */
export function Failed({ error, reset }: { error: unknown; reset?: () => void }) {
  const t = useT();
  return (
    <Page title={t('failed.title')}>
      <ProblemNote error={error} {...(reset ? { onRetry: reset } : {})} />
    </Page>
  );
}

/** An address that leads nowhere. */
export function NotThere() {
  const t = useT();
  return (
    <main>
      <Page title={t('nowhere.title')} sentence={t('nowhere.says')}>
        <Link to="/" className="underline">
          {t('nowhere.home')}
        </Link>
      </Page>
    </main>
  );
}
