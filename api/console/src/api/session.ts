import type { components } from './schema';

type Tokens = components['schemas']['Tokens'];

/** What a caller signs requests with: a person's tokens, or an API key. */
export type Session =
  { kind: 'person'; access: string; refresh: string; until: number } | { kind: 'key'; key: string };

const NAME = 'millrace.session';
const listeners = new Set<() => void>();
let current: Session | null = read();
let renewing: Promise<boolean> | null = null;

function read(): Session | null {
  try {
    return JSON.parse(globalThis.sessionStorage?.getItem(NAME) ?? 'null') as Session | null;
  } catch {
    return null;
  }
}

/** The session of this tab; none where nobody has signed in. */
export const session = () => current;

/** Calls back whenever somebody signs in or out. */
export function watchSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Signs in, or out. It lasts as long as the tab. */
export function setSession(next: Session | null) {
  current = next;
  if (next) sessionStorage.setItem(NAME, JSON.stringify(next));
  else sessionStorage.removeItem(NAME);
  listeners.forEach((listener) => listener());
}

/** The session that these tokens make. */
export function ofTokens(tokens: Tokens): Session {
  const until = Date.now() + tokens.expires_in * 1000;
  return { kind: 'person', access: tokens.access_token, refresh: tokens.refresh_token, until };
}

/** The `Authorization` of the next request, renewed shortly before it ends. */
export async function authorization(): Promise<string | null> {
  if (!current) return null;
  if (current.kind === 'key') return `Bearer ${current.key}`;
  if (current.until - Date.now() < 20_000) await renew();
  return current?.kind === 'person' ? `Bearer ${current.access}` : null;
}

/** Renews the tokens once, however many ask; whether there are new ones. */
export function renew(): Promise<boolean> {
  renewing ??= exchange().finally(() => (renewing = null));
  return renewing;
}

async function exchange(): Promise<boolean> {
  if (current?.kind !== 'person') return false;
  const body = JSON.stringify({ refresh_token: current.refresh });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch('/v1/auth/refresh', { method: 'POST', headers, body });
  if (answer.ok) setSession(ofTokens((await answer.json()) as Tokens));
  else if (answer.status === 401) setSession(null);
  return answer.ok;
}
