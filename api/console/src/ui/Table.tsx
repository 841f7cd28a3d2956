import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useT } from '../i18n';
import { Button } from './Button';

/** A column: its name, what a row has in it, and whether a narrow screen leaves it out. */
export type Column<T> = {
  name: string;
  cell: (row: T) => ReactNode;
  wide?: boolean;
  number?: boolean;
};

type Props<T> = {
  label: string;
  columns: Column<T>[];
  rows: T[];
  idOf: (row: T) => string;
  onOpen?: (row: T) => void;
  more?: { has: boolean; busy: boolean; load: () => void };
};

const ROW = 36;

/** Rows under headings; only those in sight are drawn. J and K go through them, Enter opens one. */
export function Table<T>({ label, columns, rows, idOf, onOpen, more }: Props<T>) {
  const t = useT();
  const frame = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(-1);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  useRowKeys(rows.length, at, setAt, (index) => {
    const row = rows[index];
    if (row) onOpen?.(row);
  });
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at);
  }, [at, virtual]);

  const drawn = virtual.getVirtualItems();
  const before = drawn[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (drawn.at(-1)?.end ?? 0);
  const cell = (column: Column<T>) =>
    `px-3 ${column.wide ? 'hidden md:table-cell' : ''} ${column.number ? 'text-right' : 'text-left'}`;
  return (
    <div className="flex flex-col gap-2">
      <div
        ref={frame}
        role="region"
        aria-label={label}
        tabIndex={0}
        className="max-h-[70vh] overflow-auto rounded-md border border-line bg-sheet"
      >
        <table className="w-full border-collapse text-xs">
          <thead className="sticky top-0 z-10 bg-sheet">
            <tr className="h-9 border-b border-line">
              {columns.map((column) => (
                <th key={column.name} scope="col" className={`${cell(column)} font-medium text-soft`}>
                  {column.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {before > 0 && <tr style={{ height: before }} />}
            {drawn.map(({ index }) => {
              const row = rows[index] as T;
              return (
                <tr
                  key={idOf(row)}
                  data-index={index}
                  ref={virtual.measureElement}
                  aria-current={index === at ? true : undefined}
                  onClick={() => onOpen?.(row)}
                  className={`h-9 border-b border-line last:border-0 ${onOpen ? 'cursor-pointer' : ''} ${
                    index === at ? 'bg-hover outline-2 -outline-offset-2 outline-accent' : 'hover:bg-hover'
                  }`}
                >
                  {columns.map((column) => (
                    <td key={column.name} className={cell(column)}>
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              );
            })}
            {after > 0 && <tr style={{ height: after }} />}
          </tbody>
        </table>
      </div>
      {more?.has && (
        <Button className="self-start" disabled={more.busy} onClick={more.load}>
          {more.busy ? t('list.loading') : t('list.more')}
        </Button>
      )}
    </div>
  );
}

/** J and K move the mark, Enter opens where it stands, unless somebody types. */
function useRowKeys(count: number, at: number, setAt: (at: number) => void, open: (at: number) => void) {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const on = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || on.closest('input, textarea, select, dialog')) return;
      if (event.key === 'j') setAt(Math.min(at + 1, count - 1));
      if (event.key === 'k') setAt(Math.max(at - 1, 0));
      if (event.key === 'Enter' && at >= 0 && !on.closest('a, button')) open(at);
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  });
}
