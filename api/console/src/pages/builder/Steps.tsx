import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { CheckField, SelectField, TextField } from '../../ui/Field';
import { usePools } from '../senders/data';
import { useTemplates } from '../templates/data';

export type Draft = {
  name: string;
  class: Schemas['CampaignClass'];
  everyone: boolean;
  tags: string;
  template_id: string;
  pool_id: string;
};

type Props = { draft: Draft; change: (part: Partial<Draft>) => void };

const CLASSES = ['promo', 'journey', 'transactional'] as const;

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

/** What they get. */
export function MessageStep({ draft, change }: Props) {
  const t = useT();
  const templates = useTemplates().rows;
  return (
    <>
      <SelectField
        required
        label={t('builder.template')}
        value={draft.template_id}
        choices={[['', t('field.choose')], ...templates.map((one) => [one.id, one.name] as const)]}
        onChange={(e) => change({ template_id: e.target.value })}
        hint={
          <Link to="/templates/$id" params={{ id: 'new' }} className="underline">
            {t('templates.new')}
          </Link>
        }
      />
      <SelectField
        label={t('field.class')}
        hint={t('builder.class.hint')}
        value={draft.class}
        choices={CLASSES.map((one) => [one, t(`class.${one}`)] as const)}
        onChange={(e) => change({ class: e.target.value as Draft['class'] })}
      />
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
