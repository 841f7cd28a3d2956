import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { List } from '../../ui/List';
import { Card } from '../../ui/Page';
import type { Column } from '../../ui/Table';
import { useUsage } from './data';

/** What the assistants have used of their budgets, on the last day on which each was asked. */
export function Usage({ nameOf }: { nameOf: (target: string | null) => string }) {
  const t = useT();
  const format = useFormat();
  const columns: Column<Schemas['AssistantUsage']>[] = [
    { name: t('assistant.whose'), cell: (one) => nameOf(one.target) },
    { name: t('assistant.day'), cell: (one) => one.day ?? '–' },
    { name: t('assistant.answers'), cell: (one) => format.number(one.answers), number: true },
    { name: t('assistant.tokens'), cell: (one) => format.number(one.tokens), number: true },
    { name: t('assistant.cost'), cell: (one) => format.number(one.cost_micros), number: true, wide: true },
  ];
  return (
    <Card title={t('assistant.usage')}>
      <List
        label={t('assistant.usage')}
        pages={useUsage()}
        columns={columns}
        idOf={(one) => one.scope + (one.target ?? '')}
        empty={t('assistant.usage.none')}
      />
    </Card>
  );
}
