import { useEffect, useEffectEvent } from 'react';

/** Runs what a key stands for, unless somebody types or holds another key down. */
export function useKeys(acts: Record<string, () => void>) {
  const press = useEffectEvent((event: KeyboardEvent) => {
    const on = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (on.closest('input, textarea, select, dialog, [role=menu]')) return;
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => press(event);
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, []);
}
