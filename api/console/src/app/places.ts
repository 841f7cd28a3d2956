import type { Schemas } from '../api/client';
import { useMe } from '../api/me';
import type { Key } from '../i18n';

/** A place of the console that the rail and the palette lead to. */
export type Place = { to: string; name: Key; sign: string; needs?: Schemas['Permission'] };

const PLACES: Place[] = [
  { to: '/', name: 'nav.home', sign: '⌂' },
  { to: '/inbox', name: 'nav.inbox', sign: '✉' },
  { to: '/campaigns', name: 'nav.campaigns', sign: '➤' },
  { to: '/contacts', name: 'nav.contacts', sign: '☺' },
  { to: '/templates', name: 'nav.templates', sign: '✎' },
  { to: '/messages', name: 'nav.messages', sign: '✉' },
  { to: '/why', name: 'nav.why', sign: '?' },
  { to: '/senders', name: 'nav.senders', sign: '☎' },
  { to: '/compliance', name: 'nav.compliance', sign: '§' },
  { to: '/budgets', name: 'nav.budgets', sign: '$' },
  { to: '/operations', name: 'nav.operations', sign: '≋', needs: 'cancel_messages' },
  { to: '/settings', name: 'nav.settings', sign: '⚙' },
];

/** The places for who has signed in. */
export function usePlaces(): Place[] {
  const permissions = useMe().data?.permissions ?? [];
  return PLACES.filter(({ needs }) => !needs || permissions.includes(needs));
}
