import createClient from 'openapi-fetch';
import { ApiError, type Problem } from './problem';
import type { components, paths } from './schema';
import { leave, renew, send, session } from './session';

/** The api's own types, by their names in its document. */
export type Schemas = components['schemas'];

/** Sends a request as whoever has signed in; once more where what signs it in has just ended. */
export async function signed(request: Request): Promise<Response> {
  const again = request.clone();
  const first = await send(request);
  if (first.status !== 401 || isOfStrangers(request) || !session()) return first;
  if (await renew()) return send(again);
  if (session()?.kind === 'key') leave();
  return first;
}

/** Who signs in is told 401 where a code or a password is wrong, and stays whoever they were. */
const isOfStrangers = (request: Request) =>
  new URL(request.url).pathname.startsWith('/v1/auth/') && !request.url.endsWith('/switch');

/** The client of the api, typed by its document: of what has several formats, the one in JSON. */
export const api = createClient<paths, 'application/json'>({
  baseUrl: globalThis.location?.origin ?? '',
  fetch: signed,
});

/** The data of an answer; what is no success is thrown as the problem that it is. */
export async function ask<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw new ApiError(response.status, (error ?? {}) as Partial<Problem>);
  return data as T;
}

/** Saves what the api answers as a file, in a format that it is asked for. */
export async function download(path: string, accept: string, name: string) {
  const answer = await signed(new Request(path, { headers: { accept } }));
  if (!answer.ok) throw new ApiError(answer.status, (await answer.json()) as Partial<Problem>);
  save(await answer.blob(), name);
}

/** Saves something as a file. */
export function save(content: Blob, name: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
