import type { ReactNode } from 'react';

/** A key figure: what it counts, how much, and what it is to be compared with. */
export function Figure({ label, value, beside }: { label: string; value: ReactNode; beside?: ReactNode }) {
  return (
    <div className="flex flex-col gap-1 rounded-md border border-line bg-sheet p-4">
      <span className="text-xs text-soft">{label}</span>
      <span className="text-2xl leading-none font-semibold">{value}</span>
      <span className="text-xs text-soft">{beside ?? '\u00a0'}</span>
    </div>
  );
}
