import { useState } from 'react';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Facts } from '../../ui/Facts';
import { ProblemNote } from '../../ui/Problem';
import { useImportStops } from './data';

/** Puts the numbers of a file on the list; what is refused stops no other line. */
export function ImportStops({ onClose }: { onClose: () => void }) {
  const t = useT();
  const run = useImportStops();
  const [file, setFile] = useState<File | null>(null);
  const refused = run.data?.results.filter((one) => one.outcome === 'invalid') ?? [];
  return (
    <Dialog title={t('dnc.import')} onClose={onClose}>
      <label className="flex flex-col gap-2">
        <span className="text-xs text-soft">{t('dnc.import.hint')}</span>
        <input
          type="file"
          accept=".csv,text/csv,.txt"
          onChange={(event) => setFile(event.target.files?.[0] ?? null)}
        />
      </label>
      <ProblemNote error={run.error} />
      {run.data && (
        <div role="status" className="flex flex-col gap-2">
          <Facts
            facts={[
              [t('import.created'), run.data.created],
              [t('import.unchanged'), run.data.unchanged],
              [t('import.invalid'), run.data.invalid],
            ]}
          />
          <ul className="max-h-40 overflow-auto text-xs">
            {refused.map((one) => (
              <li key={one.index}>
                <span className="text-soft">{t('import.line', { n: one.line ?? one.index + 1 })}</span>{' '}
                {one.errors?.map((error) => error.detail).join(' ')}
              </li>
            ))}
          </ul>
        </div>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>{run.data ? t('act.done') : t('act.cancel')}</Button>
        <Button kind="primary" disabled={!file || run.isPending} onClick={() => file && run.mutate(file)}>
          {t('dnc.import')}
        </Button>
      </div>
    </Dialog>
  );
}
