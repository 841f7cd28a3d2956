import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useT } from '../i18n';
import { Button } from './Button';
import { Columns } from './Columns';
import { useHidden } from './hidden';

/** A column: its name, what a row has in it, and whether a narrow screen leaves it out. */
export type Column<T> = {
  name: string;
  cell: (row: T) => ReactNode;
  wide?: boolean;
  number?: boolean;
};

/** Rows that are chosen, by their ids, and how that changes. */
export type Picked = { ids: ReadonlySet<string>; onChange: (ids: ReadonlySet<string>) => void };

type Props<T> = {
  label: string;
  columns: Column<T>[];
  rows: T[];
  idOf: (row: T) => string;
  onOpen?: (row: T) => void;
  picked?: Picked;
  more?: { has: boolean; busy: boolean; load: () => void };
};

const ROW = 36;
/** Fewer columns are all of them needed. */
const MANY = 4;

/** Rows under headings; only those in sight are drawn. J and K go through them, Enter opens one.
 *  Where it is scrolled to is kept by the router, which columns are put away by this browser. */
export function Table<T>({ label, columns: all, rows, idOf, onOpen, picked, more }: Props<T>) {
  const t = useT();
  const frame = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(-1);
  const { hidden, toggle } = useHidden(label);
  const columns = all.filter((one, index) => index === 0 || !hidden.includes(one.name));
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
      {all.length >= MANY && (
        <div className="-mb-1 hidden justify-end md:flex">
          <Columns names={all.slice(1).map((one) => one.name)} hidden={hidden} onToggle={toggle} />
        </div>
      )}
      <div
        ref={frame}
        role="region"
        aria-label={label}
        tabIndex={0}
        data-scroll-restoration-id={label}
        className="max-h-[70vh] overflow-auto rounded-md border border-line bg-sheet"
      >
        <table className="w-full border-collapse text-xs">
          <thead className="sticky top-0 z-10 bg-sheet">
            <tr className="h-9 border-b border-line">
              {picked && (
                <th scope="col" className="w-8 pl-3 text-left">
                  <Pick
                    label={t('pick.all')}
                    isPicked={rows.length > 0 && rows.every((row) => picked.ids.has(idOf(row)))}
                    onPick={(on) => picked.onChange(new Set(on ? rows.map(idOf) : []))}
                  />
                </th>
              )}
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
              const id = idOf(row);
              return (
                <tr
                  key={id}
                  data-index={index}
                  ref={virtual.measureElement}
                  aria-current={index === at ? true : undefined}
                  onClick={() => onOpen?.(row)}
                  className={`h-9 border-b border-line last:border-0 ${onOpen ? 'cursor-pointer' : ''} ${
                    index === at ? 'bg-hover outline-2 -outline-offset-2 outline-accent' : 'hover:bg-hover'
                  }`}
                >
                  {picked && (
                    <td className="pl-3" onClick={(event) => event.stopPropagation()}>
                      <Pick
                        label={t('pick.row', { n: index + 1 })}
                        isPicked={picked.ids.has(id)}
                        onPick={(on) => picked.onChange(changed(picked.ids, id, on))}
                      />
                    </td>
                  )}
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

type PickProps = { label: string; isPicked: boolean; onPick: (on: boolean) => void };

function Pick({ label, isPicked, onPick }: PickProps) {
  return (
    <input
      type="checkbox"
      aria-label={label}
      className="size-4 align-middle accent-accent-strong"
      checked={isPicked}
      onChange={(event) => onPick(event.target.checked)}
    />
  );
}

function changed(ids: ReadonlySet<string>, id: string, on: boolean): ReadonlySet<string> {
  const next = new Set(ids);
  if (on) next.add(id);
  else next.delete(id);
  return next;
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
