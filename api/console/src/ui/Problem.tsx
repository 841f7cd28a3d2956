import { problemOf } from '../api/problem';
import { useT } from '../i18n';
import { Button } from './Button';

/** What went wrong, what would be right, and the id of the request to name to somebody. */
export function ProblemNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const t = useT();
  if (!error) return null;
  const problem = problemOf(error);
  const id = problem.request_id;
  return (
    <div role="alert" className="flex flex-col gap-1 rounded-md border border-failed bg-sheet p-3">
      <p className="font-semibold text-failed">{problem.title ?? t('problem.title')}</p>
      <p>{problem.detail}</p>
      {problem.errors && problem.errors.length > 0 && (
        <ul className="list-disc pl-5">
          {problem.errors.map((one) => (
            <li key={one.field + one.code}>
              <code>{one.field}</code>
              {': '}
              {one.detail}
            </li>
          ))}
        </ul>
      )}
      <div className="flex flex-wrap items-center gap-2 text-xs text-soft">
        {id && (
          <>
            <span>{t('problem.request', { id })}</span>
            <Button kind="quiet" onClick={() => void navigator.clipboard.writeText(id)}>
              {t('act.copy')}
            </Button>
          </>
        )}
        {onRetry && <Button onClick={onRetry}>{t('act.retry')}</Button>}
      </div>
    </div>
  );
}
