import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

type Props = {
  title: string;
  pill?: ReactNode;
  sentence?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
};

/** A page: its title, how it stands in a sentence, what can be done, and what it holds. */
export function Page({ title, pill, sentence, actions, children }: Props) {
  return (
    <div className="flex flex-col gap-4 p-4 sm:p-6">
      <header className="flex flex-wrap items-start justify-between gap-3">
        <div className="flex min-w-0 flex-col gap-1">
          <div className="flex flex-wrap items-center gap-3">
            <h1 className="text-xl font-semibold break-words">{title}</h1>
            {pill}
          </div>
          {sentence && <p className="text-soft">{sentence}</p>}
        </div>
        {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A sheet on the page with a heading. */
export function Card({ title, aside, children }: { title?: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="flex min-w-0 flex-col gap-3 rounded-md border border-line bg-sheet p-4">
      {(title || aside) && (
        <div className="flex flex-wrap items-center justify-between gap-2">
          {title && <h2 className="text-sm font-semibold">{title}</h2>}
          {aside}
        </div>
      )}
      {children}
    </section>
  );
}

/** The parts of a page; which one is shown stands in the URL. */
export function Tabs({ tabs, now, label }: { tabs: [string, string][]; now: string; label: string }) {
  return (
    <nav aria-label={label} className="flex gap-1 overflow-x-auto border-b border-line">
      {tabs.map(([value, text]) => (
        <Link
          key={value}
          to="."
          search={{ tab: value } as never}
          aria-current={value === now ? 'page' : undefined}
          className={`border-b-2 px-3 py-2 whitespace-nowrap ${
            value === now ? 'border-accent font-semibold' : 'border-transparent text-soft hover:text-ink'
          }`}
        >
          {text}
        </Link>
      ))}
    </nav>
  );
}

/** What a list is for that is empty, and the next step. */
export function Empty({ says, children }: { says: string; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-start gap-3 rounded-md border border-dashed border-line p-6 text-soft">
      <p>{says}</p>
      {children}
    </div>
  );
}

/** Stands where something comes, in its size, with words. */
export function Coming({ says, rows = 4 }: { says: string; rows?: number }) {
  return (
    <div role="status" className="flex flex-col gap-2 py-2 text-soft">
      <span className="text-xs">{says}</span>
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} className="h-5 rounded bg-hover" />
      ))}
    </div>
  );
}
