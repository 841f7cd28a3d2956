import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Card } from '../../ui/Page';
import { Table, type Column } from '../../ui/Table';

/** The variants of the text beside each other. */
export function Variants({ ledger }: { ledger: Schemas['CampaignLedger'] }) {
  const t = useT();
  const format = useFormat();
  const variants = ledger.variants ?? [];
  if (variants.length < 2) return null;
  const columns: Column<Schemas['CampaignVariantCounts']>[] = [
    { name: t('field.variant'), cell: (one) => one.variant },
    { name: t('campaign.messages'), cell: (one) => format.number(one.messages), number: true },
    { name: t('state.delivered'), cell: (one) => format.number(one.final.delivered ?? 0), number: true },
    { name: t('state.failed'), cell: (one) => format.number(one.final.failed ?? 0), number: true },
    { name: t('field.segments'), cell: (one) => format.number(one.segments), number: true, wide: true },
    { name: t('field.cost'), cell: (one) => format.money(one.cost), number: true },
  ];
  return (
    <Card title={t('campaign.variants')}>
      <Table label={t('campaign.variants')} columns={columns} rows={variants} idOf={(one) => one.variant} />
    </Card>
  );
}
