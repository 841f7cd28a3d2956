import { useNavigate } from '@tanstack/react-router';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { useKeys } from '../../ui/keys';
import { Coming, Empty } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { useConversations, useNames } from './data';
import { FilterBar } from './FilterBar';
import type { Filters } from './filters';
import { Row } from './Row';

type Props = { id: string | undefined; filters: Filters };

/** The conversations; J and K open the next and the one before. */
export function ConversationList({ id, filters }: Props) {
  const t = useT();
  const navigate = useNavigate();
  const pages = useConversations(filters);
  const names = useNames();
  const step = (by: number) => {
    const at = pages.rows.findIndex((one) => one.id === id);
    const next = pages.rows[at < 0 ? 0 : at + by];
    if (next) void navigate({ to: '/inbox', search: { ...filters, id: next.id }, replace: id !== undefined });
  };
  useKeys({ j: () => step(1), k: () => step(-1) });
  return (
    <div className="flex min-h-0 w-full flex-col">
      <FilterBar filters={filters} id={id} />
      <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label={t('inbox.list')}>
        {pages.isError && <ProblemNote error={pages.error} onRetry={() => void pages.refetch()} />}
        {pages.isPending && (
          <div className="px-3">
            <Coming says={t('list.loading')} rows={8} />
          </div>
        )}
        {pages.isSuccess && pages.rows.length === 0 && (
          <div className="p-3">
            <Empty says={isNarrow(filters) ? t('inbox.none') : t('inbox.empty')} />
          </div>
        )}
        <ul>
          {pages.rows.map((one) => (
            <Row key={one.id} conversation={one} filters={filters} isOpen={one.id === id} nameOf={names.of} />
          ))}
        </ul>
        {pages.hasNextPage && (
          <Button
            kind="quiet"
            className="m-2"
            disabled={pages.isFetchingNextPage}
            onClick={() => void pages.fetchNextPage()}
          >
            {pages.isFetchingNextPage ? t('list.loading') : t('list.more')}
          </Button>
        )}
      </div>
    </div>
  );
}

/** Whether something else than what is open is looked for. */
const isNarrow = (filters: Filters) => Object.keys(filters).length > 0;
