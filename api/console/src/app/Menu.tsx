import { useQueryClient } from '@tanstack/react-query';
import { DropdownMenu } from 'radix-ui';
import { api } from '../api/client';
import { useMe } from '../api/me';
import { leave, session } from '../api/session';
import { useLanguage, useT } from '../i18n';
import { pressed } from '../ui/Button';
import { setTheme, useTheme, type Theme } from './theme';

const SHEET = 'z-50 min-w-44 rounded-md border border-line bg-sheet p-1 shadow-xl';
const ITEM = 'flex gap-2 rounded-md px-2 py-1.5 outline-none data-[highlighted]:bg-hover';
const THEMES: Theme[] = ['light', 'dark', 'system'];

/** Who has signed in, how the page looks and speaks, and the way out. */
export function PersonMenu() {
  const t = useT();
  const me = useMe();
  const theme = useTheme();
  const queries = useQueryClient();
  const { language, setLanguage } = useLanguage();
  const signOut = async () => {
    if (session()?.kind === 'person') await api.POST('/v1/auth/logout').catch(() => null);
    queries.clear();
    leave();
  };
  const name = me.data?.person?.name ?? t('menu.program');
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className={pressed('quiet')}>{name}</DropdownMenu.Trigger>
      <DropdownMenu.Content className={SHEET} align="end">
        <DropdownMenu.Label className="px-2 py-1 text-xs text-soft">{t('menu.theme')}</DropdownMenu.Label>
        <DropdownMenu.RadioGroup value={theme} onValueChange={(value) => setTheme(value as Theme)}>
          {THEMES.map((one) => (
            <Choice key={one} value={one} text={t(`theme.${one}`)} />
          ))}
        </DropdownMenu.RadioGroup>
        <DropdownMenu.Label className="px-2 py-1 text-xs text-soft">{t('menu.language')}</DropdownMenu.Label>
        <DropdownMenu.RadioGroup
          value={language}
          onValueChange={(value) => setLanguage(value as 'en' | 'es')}
        >
          <Choice value="en" text={t('language.en')} />
          <Choice value="es" text={t('language.es')} />
        </DropdownMenu.RadioGroup>
        <DropdownMenu.Separator className="my-1 h-px bg-line" />
        <DropdownMenu.Item className={ITEM} onSelect={() => void signOut()}>
          {t('menu.leave')}
        </DropdownMenu.Item>
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}

function Choice({ value, text }: { value: string; text: string }) {
  return (
    <DropdownMenu.RadioItem value={value} className={ITEM}>
      <span className="w-3" aria-hidden="true">
        <DropdownMenu.ItemIndicator>{'✓'}</DropdownMenu.ItemIndicator>
      </span>
      {text}
    </DropdownMenu.RadioItem>
  );
}
