import { expect, test } from 'vitest';
import { changed, queryOf } from './filters';

test('an address without filters asks for what is open', () => {
  expect(queryOf({}, 'ana')).toEqual({ status: 'open' });
});

test('every status asks for none', () => {
  expect(queryOf({ status: 'all' }, 'ana')).toEqual({});
});

test('mine are those of whoever asks, and a program has none of its own', () => {
  expect(queryOf({ who: 'mine', status: 'all' }, 'ana')).toEqual({ assignee: 'ana' });
  expect(queryOf({ who: 'mine', status: 'all' }, undefined)).toEqual({});
});

test('an owner, no owner and what is unread are asked for by the names of the api', () => {
  const filters = { status: 'closed', who: 'assistant', unread: 'true', q: 'order' };
  expect(queryOf(filters, 'ana')).toEqual({
    status: 'closed',
    owner: 'assistant',
    unread: true,
    q: 'order',
  });
  expect(queryOf({ who: 'unassigned' }, 'ana')).toEqual({ status: 'open', unassigned: true });
});

test('what is emptied leaves the address, and so does the default', () => {
  expect(changed({ q: 'order', who: 'mine' }, 'q', '')).toEqual({ who: 'mine' });
  expect(changed({ status: 'closed' }, 'status', 'open')).toEqual({});
  expect(changed({}, 'status', 'closed')).toEqual({ status: 'closed' });
});
