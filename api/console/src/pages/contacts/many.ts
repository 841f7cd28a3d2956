import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask } from '../../api/client';

/** What is done to many people at once. */
export type BulkAct = { tag: string } | { reason: string };

/** What became of them. */
export type Sum = { changed: number; unchanged: number; invalid: number };

/** How many people one request names. */
const AT_ONCE = 200;

/** The parts of a list, each as long as it may be. */
export function chunks<T>(all: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let from = 0; from < all.length; from += size) parts.push(all.slice(from, from + size));
  return parts;
}

async function run(phones: string[], act: BulkAct): Promise<Sum> {
  if ('tag' in act) {
    const contacts = phones.map((phone) => ({ phone, tags: [act.tag] }));
    const { created, updated, unchanged, duplicate, invalid } = await ask(
      api.POST('/v1/contacts/bulk', { body: { contacts } }),
    );
    return { changed: created + updated, unchanged: unchanged + duplicate, invalid };
  }
  const rows = phones.map((phone) => ({ phone, reason: act.reason, stops: 'all' as const }));
  const { created, unchanged, invalid } = await ask(
    api.POST('/v1/do-not-contact/import', { body: { rows } }),
  );
  return { changed: created, unchanged, invalid };
}

/** Does something to many people, part after part, and says how far it is. */
export function useBulk() {
  const queries = useQueryClient();
  const [done, setDone] = useState(0);
  const bulk = useMutation({
    mutationFn: async ({ phones, act }: { phones: string[]; act: BulkAct }) => {
      const sum = { changed: 0, unchanged: 0, invalid: 0 };
      setDone(0);
      for (const part of chunks(phones, AT_ONCE)) {
        const found = await run(part, act);
        sum.changed += found.changed;
        sum.unchanged += found.unchanged;
        sum.invalid += found.invalid;
        setDone((before) => before + part.length);
      }
      return sum;
    },
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ['contacts'] });
      void queries.invalidateQueries({ queryKey: ['do-not-contact'] });
    },
  });
  return { ...bulk, done };
}
