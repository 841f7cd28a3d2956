import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { List } from '../../ui/List';
import { Card } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import type { Column } from '../../ui/Table';
import { ToolDialog } from './ToolDialog';
import { useTools } from './data';

type Tool = Schemas['AssistantTool'];

/** What the assistant may look up at the company's own servers. */
export function Tools() {
  const t = useT();
  const may = useMay('edit_settings');
  const [open, setOpen] = useState<Tool | 'new' | null>(null);
  const columns: Column<Tool>[] = [
    { name: t('field.name'), cell: (one) => <code>{one.name}</code> },
    { name: t('tools.for'), cell: (one) => one.description, wide: true },
    { name: t('tools.url'), cell: (one) => one.url, wide: true },
    {
      name: t('field.state'),
      cell: (one) =>
        one.allowed ? <Pill state="on" /> : <span title={t('tools.refused')}>{t('field.no')}</span>,
    },
    { name: t('field.changed'), cell: (one) => <Time at={one.changed_at} />, wide: true },
    {
      name: t('field.act'),
      cell: (one) =>
        may && (
          <Button className="h-7" onClick={() => setOpen(one)}>
            {t('act.edit')}
          </Button>
        ),
    },
  ];
  return (
    <Card
      title={t('tools.title')}
      aside={may && <Button onClick={() => setOpen('new')}>{t('tools.new')}</Button>}
    >
      <List
        label={t('tools.title')}
        pages={useTools()}
        columns={columns}
        idOf={(one) => one.id}
        empty={t('tools.empty')}
      />
      {open && <ToolDialog tool={open === 'new' ? null : open} onClose={() => setOpen(null)} />}
    </Card>
  );
}
