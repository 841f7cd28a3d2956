import createClient from 'openapi-fetch';
import { ApiError, type Problem } from './problem';
import type { components, paths } from './schema';
import { authorization, renew, session, setSession } from './session';

/** The api's own types, by their names in its document. */
export type Schemas = components['schemas'];

/** Sends a request as whoever has signed in; once more where the token has just ended. */
export async function signed(request: Request): Promise<Response> {
  const again = request.clone();
  const first = await withAuthorization(request);
  if (first.status !== 401 || !session()) return first;
  if (await renew()) return withAuthorization(again);
  setSession(null);
  return first;
}

async function withAuthorization(request: Request): Promise<Response> {
  const value = await authorization();
  if (value) request.headers.set('authorization', value);
  return fetch(request);
}

/** The client of the api, typed by its document. */
export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? '', fetch: signed });

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
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
