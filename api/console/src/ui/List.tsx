import type { ReactNode } from 'react';
import type { usePages } from '../api/lists';
import { useT } from '../i18n';
import { Coming, Empty } from './Page';
import { ProblemNote } from './Problem';
import { Table, type Column, type Picked } from './Table';

type Props<T> = {
  label: string;
  pages: ReturnType<typeof usePages<T>>;
  columns: Column<T>[];
  idOf: (row: T) => string;
  onOpen?: (row: T) => void;
  picked?: Picked;
  empty: string;
  next?: ReactNode;
};

/** A list of the api as a table: while it comes, where it failed, where it is empty. */
export function List<T>({ label, pages, columns, idOf, onOpen, picked, empty, next }: Props<T>) {
  const t = useT();
  if (pages.isError) return <ProblemNote error={pages.error} onRetry={() => void pages.refetch()} />;
  if (pages.isPending) return <Coming says={t('list.loading')} />;
  if (pages.rows.length === 0) return <Empty says={empty}>{next}</Empty>;
  return (
    <Table
      label={label}
      columns={columns}
      rows={pages.rows}
      idOf={idOf}
      {...(onOpen ? { onOpen } : {})}
      {...(picked ? { picked } : {})}
      more={{
        has: pages.hasNextPage,
        busy: pages.isFetchingNextPage,
        load: () => void pages.fetchNextPage(),
      }}
    />
  );
}
