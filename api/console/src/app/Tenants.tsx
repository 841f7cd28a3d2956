import { useQuery } from '@tanstack/react-query';
import { DropdownMenu } from 'radix-ui';
import { api, ask } from '../api/client';
import { useMe, useSession } from '../api/me';
import { enterByCookie } from '../api/session';
import { useT } from '../i18n';
import { pressed } from '../ui/Button';
import { Sign } from './Company';

/** The company, and the others that a person may work for. */
export function Tenants() {
  const t = useT();
  const me = useMe();
  const isPerson = useSession()?.kind === 'person';
  const others = useQuery({
    queryKey: ['my-tenants'],
    queryFn: () => ask(api.GET('/v1/me/tenants')),
    enabled: isPerson,
    staleTime: 5 * 60_000,
  });
  const move = async (tenant: string) => {
    await ask(api.POST('/v1/auth/switch', { body: { tenant, cookies: true } }));
    enterByCookie();
    // Nothing that is kept of one company is shown for another.
    location.assign('/console/');
  };
  const name = me.data?.tenant.theme.display_name ?? '';
  const companies = others.data?.data ?? [];
  if (companies.length < 2) {
    return (
      <span className="flex min-w-0 items-center gap-2 px-3 text-sm font-semibold">
        <Sign name={name} />
        <span className="truncate">{name}</span>
      </span>
    );
  }
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger
        className={`${pressed('quiet')} min-w-0 font-semibold`}
        aria-label={t('tenant.switch')}
      >
        <Sign name={name} />
        <span className="truncate">{name}</span>
        <span aria-hidden="true">{'▾'}</span>
      </DropdownMenu.Trigger>
      <DropdownMenu.Content className="z-50 min-w-44 rounded-md border border-line bg-sheet p-1 shadow-xl">
        {companies.map((one) => (
          <DropdownMenu.Item
            key={one.id}
            onSelect={() => void move(one.id)}
            className="rounded-md px-2 py-1.5 outline-none data-[highlighted]:bg-hover"
          >
            {one.name}
          </DropdownMenu.Item>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
