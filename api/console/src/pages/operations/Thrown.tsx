import type { Schemas } from '../../api/client';
import { useT, type Key } from '../../i18n';
import { Time } from '../../i18n/format';
import { Card } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { useThrown } from './data';

type Detail = { after?: string; reason?: string };

/** Who threw which switch when, the newest first, as the audit trail has it. */
export function Thrown() {
  const t = useT();
  const thrown = useThrown();
  return (
    <Card title={t('operations.thrown')}>
      <ProblemNote error={thrown.error} />
      {thrown.isSuccess && thrown.rows.length === 0 && (
        <p className="text-soft">{t('operations.thrown.none')}</p>
      )}
      <ol className="flex flex-col gap-1.5">
        {thrown.rows.map((one) => (
          <One key={one.seq} entry={one} />
        ))}
      </ol>
    </Card>
  );
}

function One({ entry }: { entry: Schemas['AuditEntry'] }) {
  const t = useT();
  const detail = (typeof entry.detail === 'object' ? (entry.detail ?? {}) : {}) as Detail;
  const scope = entry.subject.split(':')[1] ?? 'platform';
  return (
    <li className="flex flex-wrap items-center gap-3">
      <Time at={entry.at} />
      {detail.after && <Pill state={detail.after} />}
      <span>{t(`switch.scope.${scope}` as Key)}</span>
      <span className="text-soft">{[detail.reason, entry.actor].filter(Boolean).join(', ')}</span>
    </li>
  );
}
