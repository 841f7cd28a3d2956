import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { List } from '../../ui/List';
import { ProblemNote } from '../../ui/Problem';
import type { Column } from '../../ui/Table';
import { useAudit, useVerify } from './data';

/** Who changed what, in a chain of hashes that can be checked. */
export function Audit() {
  const t = useT();
  const format = useFormat();
  const verify = useVerify();
  const columns: Column<Schemas['AuditEntry']>[] = [
    { name: t('audit.seq'), cell: (one) => format.number(one.seq), number: true },
    { name: t('field.changed'), cell: (one) => <Time at={one.at} /> },
    { name: t('audit.action'), cell: (one) => one.action },
    { name: t('audit.subject'), cell: (one) => one.subject, wide: true },
    { name: t('audit.actor'), cell: (one) => one.actor, wide: true },
  ];
  return (
    <>
      <div className="flex flex-wrap items-center gap-3">
        <Button onClick={() => verify.mutate()} disabled={verify.isPending}>
          {t('audit.verify')}
        </Button>
        {verify.data?.ok && (
          <p role="status" className="text-delivered">
            {t('audit.ok', { seq: verify.data.head.seq })}
          </p>
        )}
        {verify.data?.first_bad && (
          <p role="alert" className="text-failed">
            {t('audit.bad', { seq: verify.data.first_bad.seq, why: verify.data.first_bad.why })}
          </p>
        )}
      </div>
      <ProblemNote error={verify.error} />
      <List
        label={t('compliance.audit')}
        pages={useAudit()}
        columns={columns}
        idOf={(one) => String(one.seq)}
        empty={t('audit.empty')}
      />
    </>
  );
}
