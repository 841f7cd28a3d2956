import { useMutation } from '@tanstack/react-query';
import { download } from '../../api/client';
import { usePages } from '../../api/lists';
import { messages } from '../../api/messages';

/** Which messages are wanted, as the API names it. */
export type Filters = {
  to?: string;
  campaign?: string;
  status?: string;
  class?: string;
  code?: string;
  since?: string;
  until?: string;
};

export type Format = 'csv' | 'ndjson';

const ACCEPT = { csv: 'text/csv', ndjson: 'application/x-ndjson' };

/** The messages that fit, the latest first. */
export const useMessages = (filters: Filters) =>
  usePages(['messages', filters], (cursor) =>
    messages({ ...(filters as object), limit: 200, ...(cursor ? { cursor } : {}) }),
  );

/** Saves all of them as a file: CSV for tables, NDJSON with everything that is known of each. */
export const useExport = (filters: Filters) =>
  useMutation({
    mutationFn: (format: Format) =>
      download(
        `/v1/messages?${new URLSearchParams(filters as Record<string, string>)}`,
        ACCEPT[format],
        `messages.${format}`,
      ),
  });
