/** What a caller signs requests with: a person's cookies, which no script reads, or an API key. */
export type Session = { kind: 'person' } | { kind: 'key'; key: string };

const NAME = 'millrace.key';
const CSRF = /(?:^|; )((?:__Secure-)?mr_csrf)=([^;]+)/;
const PERSON: Session = { kind: 'person' };

const listeners = new Set<() => void>();
const tabs = globalThis.document ? new BroadcastChannel('millrace.session') : null;
let current: Session | null = read();
let renewing: Promise<boolean> | null = null;

// The cookies are this browser's: another tab that signs in, out or moves does so for this one.
if (tabs) tabs.onmessage = () => current?.kind !== 'key' && location.reload();

/** The cookie that scripts may read: its name, and what requests that change something repeat. */
function csrf(): { name: string; token: string } | null {
  const found = CSRF.exec(globalThis.document?.cookie ?? '');
  return found?.[1] && found[2] ? { name: found[1], token: found[2] } : null;
}

function read(): Session | null {
  const key = globalThis.sessionStorage?.getItem(NAME);
  if (key) return { kind: 'key', key };
  return csrf() ? PERSON : null;
}

/** The session of this tab; none where nobody has signed in. */
export const session = () => current;

/** Calls back whenever somebody signs in or out. */
export function watchSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Signs in with an API key, until the tab is closed. */
export function enterByKey(key: string) {
  sessionStorage.setItem(NAME, key);
  become({ kind: 'key', key });
}

/** Signs in with the cookies that the api has just set. */
export function enterByCookie() {
  sessionStorage.removeItem(NAME);
  become(PERSON);
  tabs?.postMessage(null);
}

/** Signs out here. What the cookies were good for has ended at the api. */
export function leave() {
  const wasPerson = current?.kind === 'person';
  sessionStorage.removeItem(NAME);
  const cookie = csrf();
  if (wasPerson && cookie) document.cookie = `${cookie.name}=; Max-Age=0; Path=/; SameSite=Strict`;
  become(null);
  if (wasPerson) tabs?.postMessage(null);
}

function become(next: Session | null) {
  current = next;
  listeners.forEach((listener) => listener());
}

/** Sends a request with what this tab has. */
export function send(request: Request): Promise<Response> {
  if (current?.kind === 'key') {
    request.headers.set('authorization', `Bearer ${current.key}`);
    return fetch(request, { credentials: 'omit' });
  }
  const token = csrf()?.token;
  if (token && request.method !== 'GET') request.headers.set('x-csrf-token', token);
  return fetch(request);
}

/** Renews the cookies once, however many ask, and one tab after the other; whether it worked. */
export function renew(): Promise<boolean> {
  renewing ??= alone().finally(() => (renewing = null));
  return renewing;
}

/** A refresh token is good once: two tabs that take the same one would end the session. */
async function alone(): Promise<boolean> {
  // Browsers have no locks on a page that came by plain http from another machine.
  return navigator.locks ? await navigator.locks.request('millrace.renew', exchange) : exchange();
}

async function exchange(): Promise<boolean> {
  if (current?.kind !== 'person') return false;
  const headers = { 'content-type': 'application/json' };
  const answer = await send(new Request('/v1/auth/refresh', { method: 'POST', headers, body: '{}' }));
  if (answer.status === 401 || answer.status === 403) leave();
  return answer.ok;
}
