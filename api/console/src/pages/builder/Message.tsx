import { Link } from '@tanstack/react-router';
import { useT } from '../../i18n';
import { SelectField, TextArea } from '../../ui/Field';
import { Components } from '../carrier-templates/Shown';
import { useCarrierTemplates } from '../carrier-templates/data';
import { useTemplates } from '../templates/data';
import type { Draft } from './draft';

type Props = { draft: Draft; change: (part: Partial<Draft>) => void };

const CLASSES = ['promo', 'journey', 'transactional'] as const;
const CHANNELS = ['sms', 'whatsapp'] as const;
const CONTENTS = ['own', 'carrier'] as const;

/** What they get, and how it travels. */
export function MessageStep({ draft, change }: Props) {
  const t = useT();
  const onChannel = (channel: Draft['channel']) =>
    change({ channel, ...(channel === 'sms' ? { content: 'own' } : {}) });
  return (
    <>
      <SelectField
        label={t('builder.channel')}
        value={draft.channel}
        choices={CHANNELS.map((one) => [one, t(`channel.${one}`)] as const)}
        onChange={(e) => onChannel(e.target.value as Draft['channel'])}
      />
      {draft.channel === 'whatsapp' && (
        <SelectField
          label={t('builder.content')}
          hint={t('carrier.says')}
          value={draft.content}
          choices={CONTENTS.map((one) => [one, t(`builder.content.${one}`)] as const)}
          onChange={(e) => change({ content: e.target.value as Draft['content'] })}
        />
      )}
      {draft.content === 'own' ? (
        <Own draft={draft} change={change} />
      ) : (
        <Carriers draft={draft} change={change} />
      )}
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

/** A template of the company's own. */
function Own({ draft, change }: Props) {
  const t = useT();
  const templates = useTemplates().rows;
  return (
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
  );
}

/** A template that the carrier keeps and has approved, with the values of its variables. */
function Carriers({ draft, change }: Props) {
  const t = useT();
  const templates = useCarrierTemplates({ state: 'approved' }).rows;
  const chosen = templates.find((one) => one.id === draft.carrier?.id);
  const choose = (id: string) => {
    const found = templates.find((one) => one.id === id);
    const carrier = found ? { id, name: found.name, language: found.language } : null;
    change({ carrier, values: '' });
  };
  return (
    <>
      <SelectField
        required
        label={t('builder.template')}
        value={draft.carrier?.id ?? ''}
        choices={[
          ['', t('field.choose')],
          ...templates.map((one) => [one.id, `${one.name} · ${one.language} · ${one.account}`] as const),
        ]}
        onChange={(e) => choose(e.target.value)}
        hint={
          <Link to="/templates" search={{ tab: 'carriers' }} className="underline">
            {t('carrier.new')}
          </Link>
        }
      />
      {chosen && <Components of={chosen.components} />}
      <TextArea
        rows={3}
        label={t('carrier.values')}
        hint={t('carrier.values.hint')}
        value={draft.values}
        onChange={(e) => change({ values: e.target.value })}
      />
    </>
  );
}
