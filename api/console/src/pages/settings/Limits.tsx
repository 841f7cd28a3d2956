import { useT } from '../../i18n';
import { CheckField } from '../../ui/Field';
import { useBrands, useInboxes } from './data';

/** What somebody is limited to; nothing is chosen: they see everything. */
export function Limits() {
  const t = useT();
  const brands = useBrands().rows.filter((one) => !one.archived_at);
  const inboxes = useInboxes().rows.filter((one) => !one.archived_at);
  if (brands.length === 0) return null;
  return (
    <fieldset className="flex w-full flex-wrap gap-x-4 gap-y-1">
      <legend className="mb-1 text-xs font-medium text-soft">{t('limits.title')}</legend>
      {brands.map((one) => (
        <CheckField key={one.id} name="brands" value={one.id} label={one.name} />
      ))}
      {inboxes.map((one) => (
        <CheckField
          key={one.id}
          name="inboxes"
          value={one.id}
          label={t('limits.inbox', { name: one.name })}
        />
      ))}
    </fieldset>
  );
}

/** What was chosen of them. */
export const limitsOf = (form: FormData) => ({
  brands: form.getAll('brands').map(String),
  inboxes: form.getAll('inboxes').map(String),
});

/** The names of what somebody is limited to. */
export function Limited({ brands, inboxes }: { brands: string[]; inboxes: string[] }) {
  const t = useT();
  const known = [...useBrands().rows, ...useInboxes().rows];
  const names = [...brands, ...inboxes].map((id) => known.find((one) => one.id === id)?.name ?? id);
  return names.length === 0 ? t('limits.none') : names.join(', ');
}
