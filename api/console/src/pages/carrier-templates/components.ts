import type { Schemas } from '../../api/client';

type Components = Schemas['CarrierTemplateComponents'];
type Button = Schemas['CarrierTemplateButton'];

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** A button as it is written: `Yes`, `Follow it = https://…`, or `Call us = +1…`. */
function button(line: string): Button {
  const at = line.indexOf('=');
  if (at < 0) return { type: 'quick_reply', text: line };
  const [text, rest] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  if (rest.startsWith('+')) return { type: 'phone_number', text, phone_number: rest };
  const [url = '', example] = rest.split(/\s+/);
  return { type: 'url', text, url, ...(example ? { example } : {}) };
}

/** What a form says a template is made of; what is wrong in it says the api. */
export function componentsOf(form: FormData): Components {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const header = text('header');
  const footer = text('footer');
  const example = text('header_example');
  return {
    body: { text: text('body'), examples: lines(text('examples')) },
    buttons: lines(text('buttons')).map(button),
    ...(header ? { header: { format: 'text', text: header, ...(example ? { example } : {}) } } : {}),
    ...(footer ? { footer } : {}),
  };
}
