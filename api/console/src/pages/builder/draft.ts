import type { Schemas } from '../../api/client';

/** A campaign as it is being written. */
export type Draft = {
  name: string;
  class: Schemas['CampaignClass'];
  everyone: boolean;
  tags: string;
  channel: Schemas['Channel'];
  /** Whether it is made from a template of the company's own, or from one of the carrier's. */
  content: 'own' | 'carrier';
  template_id: string;
  carrier: Pick<Schemas['CarrierTemplate'], 'id' | 'name' | 'language'> | null;
  /** The values of the carrier's template, one a line. */
  values: string;
  pool_id: string;
};

export const EMPTY: Draft = {
  name: '',
  class: 'promo',
  everyone: false,
  tags: '',
  channel: 'sms',
  content: 'own',
  template_id: '',
  carrier: null,
  values: '',
  pool_id: '',
};

const parts = (text: string, between: string) =>
  text
    .split(between)
    .map((part) => part.trim())
    .filter(Boolean);

/** The campaign that a draft is of. */
export function bodyOf(draft: Draft): Schemas['NewCampaign'] {
  const { name, channel, pool_id } = draft;
  const audience = draft.everyone ? { all: true as const } : { tags: parts(draft.tags, ',') };
  return { name, channel, pool_id, class: draft.class, audience, ...contentOf(draft) };
}

function contentOf({ content, template_id, carrier, values }: Draft) {
  if (content === 'own' || !carrier) return { template_id };
  const { name, language } = carrier;
  return { carrier_template: { name, language, parameters: parts(values, '\n') } };
}
