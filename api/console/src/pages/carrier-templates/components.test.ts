import { expect, test } from 'vitest';
import { componentsOf } from './components';

const form = (fields: Record<string, string>) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
};

test('what is left empty is no part of a template', () => {
  expect(componentsOf(form({ body: ' Hello. ', header: '', footer: '' }))).toEqual({
    body: { text: 'Hello.', examples: [] },
    buttons: [],
  });
});

test('a button is a reply, a page, or a number, by what stands behind it', () => {
  const buttons =
    'Yes\nFollow it = https://example.com/o/{{1}} https://example.com/o/417\nCall = +12125550100';
  expect(componentsOf(form({ body: 'Hi', buttons })).buttons).toEqual([
    { type: 'quick_reply', text: 'Yes' },
    {
      type: 'url',
      text: 'Follow it',
      url: 'https://example.com/o/{{1}}',
      example: 'https://example.com/o/417',
    },
    { type: 'phone_number', text: 'Call', phone_number: '+12125550100' },
  ]);
});

test('a header that varies has its example', () => {
  const said = componentsOf(form({ body: 'Hi', header: 'Order {{1}}', header_example: '417' }));
  expect(said.header).toEqual({ format: 'text', text: 'Order {{1}}', example: '417' });
});
