import { useState } from 'react';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Card, Coming, Page } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { Columns } from './Columns';
import { Counts } from './Counts';
import { useImport, usePreview, type Mapping } from './data';
import { Result } from './Result';

/** People from a file: the file, which column is what, what would become of it, and what did. */
export default function Import() {
  const t = useT();
  const [file, setFile] = useState<File | null>(null);
  const [mapping, setMapping] = useState<Mapping>({});
  const preview = usePreview(file, mapping);
  const run = useImport();
  const begin = () => file && run.mutate({ file, mapping });
  if (run.data) return <Result id={run.data.id} />;
  return (
    <Page title={t('import.title')} sentence={t('import.says')}>
      <Card title={t('import.file')}>
        <label className="flex flex-col gap-2">
          <span className="text-xs text-soft">{t('import.file.hint')}</span>
          <input
            type="file"
            accept=".csv,text/csv,.txt"
            onChange={(e) => {
              setMapping({});
              setFile(e.target.files?.[0] ?? null);
            }}
          />
        </label>
      </Card>
      <ProblemNote error={preview.error} />
      {preview.isLoading && <Coming says={t('import.reads')} />}
      {preview.data && (
        <>
          <Columns preview={preview.data} mapping={mapping} onChange={setMapping} />
          <Counts counts={preview.data} rows={preview.data.rows} error={preview.data.error} />
          <ProblemNote error={run.error} />
          <Button kind="primary" className="self-start" disabled={run.isPending} onClick={begin}>
            {t('import.begin', { n: preview.data.total })}
          </Button>
        </>
      )}
    </Page>
  );
}
