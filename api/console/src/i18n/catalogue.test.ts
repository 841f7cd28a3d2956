import { expect, test } from 'vitest';
import { say, type Key } from '.';
import { en } from './en';
import { es } from './es';

const parts = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test('Spanish says everything that English says, with the same parts', () => {
  expect(Object.keys(es)).toEqual(Object.keys(en));
  for (const key of Object.keys(en) as Key[]) {
    expect(es[key].trim(), key).not.toBe('');
    expect(parts(es[key]), key).toEqual(parts(en[key]));
  }
});

test('parts are put in, numbers as the language writes them', () => {
  expect(say('en', 'check.sum', { sent: 12345, audience: 2, cost: '$1' })).toBe('12,345 of 2 people, $1');
  expect(say('es', 'import.begin', { n: 12345 })).toBe('Importar 12.345 líneas');
});

test('what is no part stays: variables of templates are explained as they are written', () => {
  expect(say('en', 'templates.text.hint')).toContain('{first_name} is the name');
});

test('a word that a newer api says is shown as it is', () => {
  expect(say('en', 'state.half_way' as Key)).toBe('half way');
});
