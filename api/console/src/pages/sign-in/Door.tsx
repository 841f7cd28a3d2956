import type { ReactNode } from 'react';
import { useT } from '../../i18n';

/** What is around the ways in. */
export function Door({ title, children }: { title: string; children: ReactNode }) {
  const t = useT();
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="flex w-full max-w-sm flex-col gap-4 rounded-md border border-line bg-sheet p-6">
        <div>
          <p className="text-sm text-soft">{t('app.name')}</p>
          <h1 className="text-xl font-semibold">{title}</h1>
        </div>
        {children}
      </div>
    </main>
  );
}
