import { api, ask } from '../../api/client';
import { ofTokens, setSession } from '../../api/session';

const text = (form: FormData, name: string) => String(form.get(name) ?? '').trim();

/** Signs in with an address and a password. */
export async function byPassword(form: FormData) {
  const body = { email: text(form, 'email'), password: text(form, 'password') };
  setSession(ofTokens(await ask(api.POST('/v1/auth/login', { body }))));
}

/** Signs in with an API key, which must be good. */
export async function byKey(form: FormData) {
  const key = text(form, 'key');
  const headers = { authorization: `Bearer ${key}` };
  await ask(api.GET('/v1/me', { headers }));
  setSession({ kind: 'key', key });
}

/** Comes to a company by an invitation, and signs in. */
export async function byInvitation(form: FormData) {
  const body = { code: text(form, 'code'), name: text(form, 'name'), password: text(form, 'password') };
  setSession(ofTokens(await ask(api.POST('/v1/auth/accept-invitation', { body }))));
}

/** The code behind `#` of a link, which then leaves the address. */
export function codeOfLink(): string {
  const code = location.hash.slice(1);
  if (code) history.replaceState(history.state, '', location.pathname + location.search);
  return code;
}
