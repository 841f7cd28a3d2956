import { api, ask } from '../../api/client';
import { enterByCookie, enterByKey } from '../../api/session';

const text = (form: FormData, name: string) => String(form.get(name) ?? '').trim();

/** Has a code sent to an address of mail or to a number. */
export const sendCode = (to: string) => ask(api.POST('/v1/auth/otp', { body: { to } }));

/** Has a link mailed, which leads to a page that signs in. */
export const sendLink = (email: string) => ask(api.POST('/v1/auth/magic-link', { body: { email } }));

/** Has a code sent with which a forgotten password is replaced. */
export const sendResetCode = (to: string) => ask(api.POST('/v1/auth/password-reset', { body: { to } }));

/** Founds a company, once its owner shows the code that is sent to them. */
export async function signUp(form: FormData) {
  const to = text(form, 'to');
  const address = to.includes('@') ? { email: to } : { phone: to };
  const body = { company: text(form, 'company'), name: text(form, 'name'), ...address };
  await ask(api.POST('/v1/auth/signup', { body }));
  return to;
}

/** Signs in with a code that was sent to an address. */
export async function byCode(to: string, code: string) {
  await ask(api.POST('/v1/auth/otp/verify', { body: { to, code, cookies: true } }));
  enterByCookie();
}

/** Signs in with the token of a link, which is good once. */
export async function byLink(token: string) {
  await ask(api.POST('/v1/auth/magic-link/verify', { body: { token, cookies: true } }));
  enterByCookie();
}

/** Signs in with an address and a password. */
export async function byPassword(form: FormData) {
  const body = { email: text(form, 'email'), password: text(form, 'password'), cookies: true };
  await ask(api.POST('/v1/auth/login', { body }));
  enterByCookie();
}

/** Replaces a forgotten password, and signs in with the new one. */
export async function byReset(to: string, form: FormData) {
  const password = text(form, 'password');
  await ask(api.POST('/v1/auth/password-reset/verify', { body: { to, code: text(form, 'code'), password } }));
  await ask(api.POST('/v1/auth/login', { body: { email: to, password, cookies: true } }));
  enterByCookie();
}

/** Signs in with an API key, which must be good. */
export async function byKey(form: FormData) {
  const key = text(form, 'key');
  const headers = { authorization: `Bearer ${key}` };
  await ask(api.GET('/v1/me', { headers, credentials: 'omit' }));
  enterByKey(key);
}

/** Comes to a company by an invitation, and signs in. */
export async function byInvitation(form: FormData) {
  const code = text(form, 'code');
  const body = { code, name: text(form, 'name'), password: text(form, 'password'), cookies: true };
  await ask(api.POST('/v1/auth/accept-invitation', { body }));
  enterByCookie();
}

/** The code behind `#` of a link, which then leaves the address. */
export function codeOfLink(): string {
  const code = location.hash.slice(1);
  if (code) history.replaceState(history.state, '', location.pathname + location.search);
  return code;
}
