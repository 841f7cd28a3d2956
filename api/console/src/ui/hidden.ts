import { useState } from 'react';

const NAME = 'millrace.hidden';

type Kept = Record<string, string[]>;

function kept(): Kept {
  try {
    return JSON.parse(localStorage.getItem(NAME) ?? '{}') as Kept;
  } catch {
    return {};
  }
}

/** The columns of a table that its reader has put away, as this browser remembers. */
export function useHidden(table: string) {
  const [hidden, setHidden] = useState<string[]>(() => kept()[table] ?? []);
  const toggle = (column: string) => {
    const next = hidden.includes(column) ? hidden.filter((one) => one !== column) : [...hidden, column];
    localStorage.setItem(NAME, JSON.stringify({ ...kept(), [table]: next }));
    setHidden(next);
  };
  return { hidden, toggle };
}
