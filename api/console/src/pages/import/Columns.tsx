import type { Schemas } from '../../api/client';
import { useT, type Key } from '../../i18n';
import { Card } from '../../ui/Page';
import { SelectField } from '../../ui/Field';
import { ownField, type Mapping } from './data';

/** The fields that a column may be. */
const FIELDS = [
  'phone',
  'country',
  'first_name',
  'last_name',
  'language',
  'postal_code',
  'region',
  'time_zone',
  'tags',
  'consent',
  'consent_source',
  'consent_at',
  'consent_basis',
  'do_not_contact',
  'do_not_contact_reason',
];

type Props = { preview: Schemas['ImportPreview']; mapping: Mapping; onChange: (mapping: Mapping) => void };

/** Which column is which field, as the api reads the file; and another way, where it is not right. */
export function Columns({ preview, mapping, onChange }: Props) {
  const t = useT();
  const set = (column: string, field: string) => {
    const rest = Object.entries(mapping).filter(([of, to]) => to !== column && of !== field);
    onChange(Object.fromEntries(field ? [...rest, [field, column]] : rest));
  };
  const choices = (column: Schemas['ImportColumn']) => {
    const own = ownField(column.column);
    const named = FIELDS.map((field) => [field, t(`import.field.${field}` as Key)] as const);
    return [
      ['', t('import.left')] as const,
      ...named,
      [own, t('import.own', { name: column.column })] as const,
    ];
  };
  return (
    <Card title={t('import.columns')}>
      <p className="text-xs text-soft">
        {t('import.read.as', { encoding: preview.encoding, delimiter: JSON.stringify(preview.delimiter) })}
      </p>
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
        {preview.columns.map((column) => (
          <SelectField
            key={column.column}
            label={column.column}
            value={column.field ?? ''}
            choices={choices(column)}
            onChange={(e) => set(column.column, e.target.value)}
          />
        ))}
      </div>
    </Card>
  );
}
