import { api, ask, type Schemas } from './client';
import type { paths } from './schema';

type Query = NonNullable<paths['/v1/messages']['get']['parameters']['query']>;
type Page = { data: Schemas['Message'][]; next_cursor: string | null };

/** A page of messages. The same path answers files to who asks for one: see `download`. */
export const messages = async (query: Query): Promise<Page> =>
  (await ask(api.GET('/v1/messages', { params: { query } }))) as Page;
