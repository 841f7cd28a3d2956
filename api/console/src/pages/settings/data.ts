import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';
import { usePages } from '../../api/lists';

const page = (cursor?: string) => ({ params: { query: { limit: 100, ...(cursor ? { cursor } : {}) } } });

/** Who works for the company; nobody where the caller may not know. */
export const useUsers = (enabled = true) =>
  usePages(['users'], (cursor) => ask(api.GET('/v1/users', page(cursor))), { enabled });
export const useInvitations = () =>
  usePages(['invitations'], (cursor) => ask(api.GET('/v1/invitations', page(cursor))));
export const useKeys = () => usePages(['keys'], (cursor) => ask(api.GET('/v1/api-keys', page(cursor))));
export const useBrands = () => usePages(['brands'], (cursor) => ask(api.GET('/v1/brands', page(cursor))));
export const useInboxes = () => usePages(['inboxes'], (cursor) => ask(api.GET('/v1/inboxes', page(cursor))));
export const useAccounts = () =>
  usePages(['accounts'], (cursor) => ask(api.GET('/v1/carrier-accounts', page(cursor))));
export const useCanned = () =>
  usePages(['canned'], (cursor) => ask(api.GET('/v1/canned-answers', page(cursor))));
export const useRates = () =>
  usePages(['rates'], (cursor) => ask(api.GET('/v1/whatsapp-rates', page(cursor))));
export const useConsumers = () =>
  usePages(['consumers'], (cursor) => ask(api.GET('/v1/event-consumers', page(cursor))));
export const useSessions = () =>
  useQuery({ queryKey: ['sessions'], queryFn: () => ask(api.GET('/v1/me/sessions')) });

/** Runs a change, after which a list is read again. */
function useChange<I, O>(list: string, change: (input: I) => Promise<O>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => void queries.invalidateQueries({ queryKey: [list] }),
  });
}

const of = (id: string) => ({ params: { path: { id } } });
const at = (account: string) => ({ params: { path: { account } } });

export const useInvite = () =>
  useChange('invitations', (body: Schemas['NewInvitation']) => ask(api.POST('/v1/invitations', { body })));
export const useUninvite = () =>
  useChange('invitations', (id: string) => ask(api.DELETE('/v1/invitations/{id}', of(id))));
export const useRole = () =>
  useChange('users', ({ id, role }: { id: string; role: Schemas['KeyRole'] }) =>
    ask(api.PATCH('/v1/users/{id}', { ...of(id), body: { role } })),
  );
export const useRemoveUser = () =>
  useChange('users', (id: string) => ask(api.DELETE('/v1/users/{id}', of(id))));
export const useNewKey = () =>
  useChange('keys', (body: Schemas['NewApiKey']) => ask(api.POST('/v1/api-keys', { body })));
export const useRevoke = () =>
  useChange('keys', (id: string) => ask(api.DELETE('/v1/api-keys/{id}', of(id))));
export const useNewBrand = () =>
  useChange('brands', (body: Schemas['NewBrand']) => ask(api.POST('/v1/brands', { body })));
export const useNewInbox = () =>
  useChange('inboxes', (body: Schemas['NewInbox']) => ask(api.POST('/v1/inboxes', { body })));
export const useChangeBrand = () =>
  useChange('brands', ({ id, body }: { id: string; body: Schemas['BrandChange'] }) =>
    ask(api.PATCH('/v1/brands/{id}', { ...of(id), body })),
  );
export const useChangeInbox = () =>
  useChange('inboxes', ({ id, body }: { id: string; body: Schemas['InboxChange'] }) =>
    ask(api.PATCH('/v1/inboxes/{id}', { ...of(id), body })),
  );
export function useTenant() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['TenantChange']) => ask(api.PATCH('/v1/tenant', { body })),
    // For some seconds `GET /v1/me` may answer with the company as it was.
    onSuccess: (tenant) => {
      queries.setQueryData<Schemas['Me']>(['me'], (me) => me && { ...me, tenant });
    },
  });
}
export const useSendAddressCode = () =>
  useMutation({ mutationFn: (to: string) => ask(api.POST('/v1/me/addresses', { body: { to } })) });
export const useProve = () =>
  useChange('me', (body: Schemas['AddressProof']) => ask(api.POST('/v1/me/addresses/verify', { body })));
export const useNewPassword = () =>
  useChange('sessions', (body: Schemas['PasswordChange']) => ask(api.PUT('/v1/me/password', { body })));
export const useEndSession = () =>
  useChange('sessions', (id: string) => ask(api.DELETE('/v1/me/sessions/{id}', of(id))));
export const useNewCanned = () =>
  useChange('canned', (body: Schemas['NewCannedAnswer']) => ask(api.POST('/v1/canned-answers', { body })));
export const useChangeCanned = () =>
  useChange('canned', ({ id, body }: { id: string; body: Schemas['CannedAnswerChange'] }) =>
    ask(api.PATCH('/v1/canned-answers/{id}', { ...of(id), body })),
  );
export const useRemoveCanned = () =>
  useChange('canned', (id: string) => ask(api.DELETE('/v1/canned-answers/{id}', of(id))));
export const useNewConsumer = () =>
  useChange('consumers', (body: Schemas['NewEventConsumer']) =>
    ask(api.POST('/v1/event-consumers', { body })),
  );
export const useRemoveConsumer = () =>
  useChange('consumers', (id: string) => ask(api.DELETE('/v1/event-consumers/{id}', of(id))));
export const useNewAccount = () =>
  useChange('accounts', (body: Schemas['NewCarrierAccount']) =>
    ask(api.POST('/v1/carrier-accounts', { body })),
  );
export const useChangeAccount = () =>
  useChange('accounts', ({ account, body }: { account: string; body: Schemas['CarrierAccountChange'] }) =>
    ask(api.PATCH('/v1/carrier-accounts/{account}', { ...at(account), body })),
  );
export const useRemoveAccount = () =>
  useChange('accounts', (account: string) => ask(api.DELETE('/v1/carrier-accounts/{account}', at(account))));
export const useNewRates = () =>
  useChange('rates', (body: Schemas['NewWhatsappRates']) => ask(api.PUT('/v1/whatsapp-rates', { body })));

/** The numbers that an account has at its carrier, as the carrier says now. */
export const useAccountNumbers = (account: string) =>
  useQuery({
    queryKey: ['account-numbers', account],
    retry: false,
    queryFn: () => ask(api.GET('/v1/carrier-accounts/{account}/numbers', at(account))),
  });
