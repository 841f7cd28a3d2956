import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Figure } from '../../ui/Figure';
import { Card } from '../../ui/Page';

const OUTCOMES = ['created', 'updated', 'unchanged', 'duplicate', 'invalid'] as const;

type Props = { counts: Schemas['ImportCounts']; rows: Schemas['ImportLine'][]; error: string | null };

/** What becomes of the lines of a file, and why some are refused. */
export function Counts({ counts, rows, error }: Props) {
  const t = useT();
  const format = useFormat();
  const refused = rows.filter((row) => row.reason !== null);
  return (
    <Card title={t('import.counts')}>
      {error && <p className="text-failed">{error}</p>}
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-5">
        {OUTCOMES.map((name) => (
          <Figure key={name} label={t(`import.${name}`)} value={format.number(counts[name])} />
        ))}
      </div>
      {refused.length > 0 && (
        <div
          role="region"
          aria-label={t('import.refused')}
          tabIndex={0}
          className="max-h-56 overflow-auto rounded-md border border-line p-2"
        >
          <ul className="flex flex-col gap-1 text-xs">
            {refused.map((row) => (
              <li key={row.line}>
                <span className="text-soft">{t('import.line', { n: row.line })}</span> {row.reason}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Card>
  );
}
