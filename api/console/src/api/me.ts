import { useQuery } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { api, ask, type Schemas } from './client';
import { session, watchSession } from './session';

/** The session of this tab, as it is now. */
export const useSession = () => useSyncExternalStore(watchSession, session);

/** Who asks, and what holds for their tenant. */
export function useMe() {
  const signedIn = useSession() !== null;
  return useQuery({
    queryKey: ['me'],
    queryFn: () => ask(api.GET('/v1/me')),
    enabled: signedIn,
    staleTime: 5 * 60_000,
  });
}

/** Whether the caller may do this: what they may not do is not shown. */
export function useMay(permission: Schemas['Permission']): boolean {
  return useMe().data?.permissions.includes(permission) ?? false;
}
