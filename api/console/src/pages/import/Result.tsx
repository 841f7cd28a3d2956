import { Link } from '@tanstack/react-router';
import { useT, type Key } from '../../i18n';
import { Button, pressed } from '../../ui/Button';
import { Coming, Page } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { Counts } from './Counts';
import { useLines, useProgress } from './data';

/** An import while it runs, and what became of it. */
export function Result({ id }: { id: string }) {
  const t = useT();
  const progress = useProgress(id);
  const lines = useLines(id);
  const data = progress.data;
  return (
    <Page title={t('import.title')} sentence={data && t(`import.is.${data.state}` as Key, { n: data.total })}>
      <ProblemNote error={progress.error ?? lines.error} />
      {!data && <Coming says={t('import.runs')} />}
      {data && <Counts counts={data} rows={[]} error={data.error} />}
      {data?.state === 'completed' && (
        <div className="flex gap-2">
          <Link to="/contacts" className={pressed('primary')}>
            {t('import.see')}
          </Link>
          <Link to="/campaigns/new" className={pressed('plain')}>
            {t('campaigns.new')}
          </Link>
          <Button disabled={lines.isPending} onClick={() => lines.mutate()}>
            {t('import.lines')}
          </Button>
        </div>
      )}
    </Page>
  );
}
