import { Outlet, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { useSession } from '../api/me';
import { useT } from '../i18n';
import { useConnection, useLive } from '../live';
import { Button } from '../ui/Button';
import { Toasts } from '../ui/Toast';
import { useCompanyColour } from './Company';
import { HeldStrip } from './HeldStrip';
import { KeysHelp } from './KeysHelp';
import { PersonMenu } from './Menu';
import { Rail } from './Rail';
import { Tenants } from './Tenants';

const Palette = lazy(() => import('./Palette'));

/** What is around every page: the rail, the bar, what is held, and the keys that work anywhere. */
export function Frame() {
  const navigate = useNavigate();
  const isSignedIn = useSession() !== null;
  useEffect(() => {
    const to = location.pathname.replace(/^\/console/, '') + location.search;
    if (!isSignedIn) void navigate({ to: '/sign-in', search: { to }, replace: true });
  }, [isSignedIn, navigate]);
  return isSignedIn ? <SignedIn /> : null;
}

function SignedIn() {
  const t = useT();
  const [open, setOpen] = useState<'palette' | 'keys' | null>(null);
  useLive('dashboard');
  useCompanyColour();
  useGlobalKeys(setOpen);
  return (
    <div className="flex min-h-dvh flex-col sm:pl-14 lg:pl-52">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-sheet focus:p-2"
      >
        {t('nav.skip')}
      </a>
      <Rail />
      <header className="sticky top-0 z-20 flex h-12 items-center justify-between gap-2 border-b border-line bg-sheet px-2">
        <div className="flex min-w-0 items-center">
          <Tenants />
        </div>
        <div className="flex items-center gap-1">
          <Button kind="quiet" onClick={() => setOpen('palette')}>
            <span>{t('palette.open')}</span>
            <kbd className="hidden rounded border border-line px-1 text-xs text-soft sm:inline">
              {'Ctrl K'}
            </kbd>
          </Button>
          <Button kind="quiet" aria-label={t('keys.title')} onClick={() => setOpen('keys')}>
            {'?'}
          </Button>
          <PersonMenu />
        </div>
      </header>
      <HeldStrip />
      <main id="main" className="w-full max-w-[1280px] flex-1 pb-20 sm:pb-8">
        <Outlet />
      </main>
      <LiveStatus />
      <Toasts />
      {open === 'palette' && (
        <Suspense fallback={null}>
          <Palette onClose={() => setOpen(null)} />
        </Suspense>
      )}
      {open === 'keys' && <KeysHelp onClose={() => setOpen(null)} />}
    </div>
  );
}

function LiveStatus() {
  const t = useT();
  const state = useConnection();
  return (
    <footer className="hidden px-6 pb-3 text-xs text-soft sm:block">
      <p role="status">{t(`live.${state}`)}</p>
    </footer>
  );
}

function useGlobalKeys(open: (what: 'palette' | 'keys') => void) {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const on = event.target as HTMLElement;
      if ((event.ctrlKey || event.metaKey) && event.key === 'k') {
        event.preventDefault();
        open('palette');
      }
      if (event.ctrlKey || event.metaKey || on.closest('input, textarea, select, dialog')) return;
      if (event.key === '?') open('keys');
      if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('input[type=search]');
        if (search) event.preventDefault();
        search?.focus();
      }
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [open]);
}
