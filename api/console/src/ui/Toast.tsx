import { useEffect, useState } from 'react';
import { Button } from './Button';

type Toast = { id: number; text: string; act?: { label: string; run: () => void } };

let next = 1;
let show: ((toast: Toast) => void) | null = null;

/** Says that something is done, and offers to undo it where that can be. */
export function toast(text: string, act?: Toast['act']) {
  show?.({ id: next++, text, ...(act ? { act } : {}) });
}

/** Where it is said: for eight seconds, in a region that screen readers follow. */
export function Toasts() {
  const [shown, setShown] = useState<Toast | null>(null);
  useEffect(() => {
    show = setShown;
    return () => void (show = null);
  }, []);
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => setShown(null), 8000);
    return () => clearTimeout(timer);
  }, [shown]);
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-0 bottom-16 z-40 flex justify-center"
    >
      {shown && (
        <div className="pointer-events-auto flex items-center gap-3 rounded-md border border-line bg-sheet p-3 shadow-xl">
          <span>{shown.text}</span>
          {shown.act && (
            <Button
              onClick={() => {
                shown.act?.run();
                setShown(null);
              }}
            >
              {shown.act.label}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
