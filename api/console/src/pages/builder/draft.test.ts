import { expect, test } from 'vitest';
import { bodyOf, EMPTY } from './draft';

const DRAFT = { ...EMPTY, name: 'Sale', pool_id: 'p', template_id: 't', tags: 'vip, , north' };

test('a campaign is made from one template, the own one or the carrier’s', () => {
  expect(bodyOf(DRAFT)).toEqual({
    name: 'Sale',
    class: 'promo',
    channel: 'sms',
    pool_id: 'p',
    audience: { tags: ['vip', 'north'] },
    template_id: 't',
  });
  const carrier = { id: 'c', name: 'order_shipped', language: 'en_US' };
  const said = bodyOf({
    ...DRAFT,
    channel: 'whatsapp',
    content: 'carrier',
    carrier,
    values: '{first_name|friend}\n417',
  });
  expect(said.channel).toBe('whatsapp');
  expect(said).not.toHaveProperty('template_id');
  expect(said.carrier_template).toEqual({
    name: 'order_shipped',
    language: 'en_US',
    parameters: ['{first_name|friend}', '417'],
  });
});

test('everybody is everybody, whatever tags were written before', () => {
  expect(bodyOf({ ...DRAFT, everyone: true }).audience).toEqual({ all: true });
});
