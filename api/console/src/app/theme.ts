import { useSyncExternalStore } from 'react';

export type Theme = 'light' | 'dark' | 'system';

const NAME = 'millrace.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

/** The theme that was chosen in this browser; the system's where none was. */
export const theme = (): Theme => (localStorage.getItem(NAME) as Theme | null) ?? 'system';

/** Shows the page in the theme. */
export function applyTheme() {
  const isDark = theme() === 'dark' || (theme() === 'system' && dark.matches);
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  listeners.forEach((listener) => listener());
}

export function setTheme(next: Theme) {
  localStorage.setItem(NAME, next);
  applyTheme();
}

dark.addEventListener('change', applyTheme);

const watch = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Whether the page is dark now. */
export const useIsDark = () =>
  useSyncExternalStore(watch, () => document.documentElement.dataset.theme === 'dark');

/** The theme, as it is now. */
export const useTheme = () => useSyncExternalStore(watch, theme);
