/** What the list is narrowed to, as it stands in the URL. */
export type Filters = {
  status?: string;
  who?: string;
  inbox?: string;
  label?: string;
  channel?: string;
  unread?: string;
  attention?: string;
  q?: string;
};

/** The statuses that can be chosen; the first is what stands for none in the URL. */
export const STATUSES = ['open', 'snoozed', 'closed', 'all'] as const;

/** Who may have a conversation: an owner as the api names it, or how it is looked after. */
export const WHO = ['mine', 'unassigned', 'assistant', 'person', 'nobody'] as const;

type Status = 'open' | 'snoozed' | 'closed';
type Owner = 'assistant' | 'person' | 'nobody';

/** What the api is asked for. `me` is the person who asks; a program looks after none. */
export function queryOf(filters: Filters, me: string | undefined) {
  const { status = 'open', who, inbox, label, channel, unread, attention, q } = filters;
  return {
    ...(status === 'all' ? {} : { status: status as Status }),
    ...whoOf(who, me),
    ...(inbox ? { inbox } : {}),
    ...(label ? { label } : {}),
    ...(channel ? { channel: channel as 'sms' | 'whatsapp' } : {}),
    ...(unread === 'true' ? { unread: true } : {}),
    ...(attention === 'true' ? { attention: true } : {}),
    ...(q ? { q } : {}),
  };
}

function whoOf(who: string | undefined, me: string | undefined) {
  if (who === undefined) return {};
  if (who === 'mine') return me ? { assignee: me } : {};
  if (who === 'unassigned') return { unassigned: true };
  return { owner: who as Owner };
}

/** The filters with one of them changed; an empty value takes it away. */
export function changed(filters: Filters, name: keyof Filters, value: string): Filters {
  const next = { ...filters, [name]: value };
  const isDefault = name === 'status' && value === STATUSES[0];
  if (!value || isDefault) delete next[name];
  return next;
}
