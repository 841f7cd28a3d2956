import { useT } from '../../i18n';
import { CheckField, SelectField, TextField } from '../../ui/Field';
import { usePools } from '../senders/data';
import type { Draft } from './draft';

type Props = { draft: Draft; change: (part: Partial<Draft>) => void };

/** Whom it is for. */
export function AudienceStep({ draft, change }: Props) {
  const t = useT();
  return (
    <>
      <TextField
        required
        label={t('campaigns.name')}
        value={draft.name}
        onChange={(e) => change({ name: e.target.value })}
      />
      <CheckField
        label={t('builder.everyone')}
        checked={draft.everyone}
        onChange={(e) => change({ everyone: e.target.checked })}
      />
      {!draft.everyone && (
        <TextField
          required
          label={t('campaign.tags')}
          hint={t('builder.tags.hint')}
          value={draft.tags}
          onChange={(e) => change({ tags: e.target.value })}
        />
      )}
    </>
  );
}

/** From where it comes. */
export function SendersStep({ draft, change }: Props) {
  const t = useT();
  const pools = usePools().rows;
  return (
    <SelectField
      required
      label={t('senders.pool')}
      hint={t('builder.pool.hint')}
      value={draft.pool_id}
      choices={[['', t('field.choose')], ...pools.map((one) => [one.id, one.name] as const)]}
      onChange={(e) => change({ pool_id: e.target.value })}
    />
  );
}
