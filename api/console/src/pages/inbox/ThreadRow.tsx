import type { Schemas } from '../../api/client';
import { useT, type Key } from '../../i18n';
import { Clock, useFormat } from '../../i18n/format';
import { useNames } from './data';
import { Attachments } from './Attachments';
import { Out } from './Out';
import type { Entry, Row } from './rows';

/** One row of the thread. */
export function ThreadRow({ row }: { row: Row }) {
  const format = useFormat();
  if (row.kind === 'day') {
    return <p className="pt-4 pb-2 text-center text-xs font-medium text-soft">{format.day(row.at)}</p>;
  }
  if (row.kind === 'consent') return <Consent line={row.line} />;
  return <Stands entry={row.entry} />;
}

function Stands({ entry }: { entry: Entry }) {
  if (entry.kind === 'in') return <In entry={entry} />;
  if (entry.kind === 'out') return <Out entry={entry} />;
  if (entry.kind === 'note') return <Note entry={entry} />;
  return <Act entry={entry} />;
}

function In({ entry }: { entry: Entry }) {
  const t = useT();
  const { meaning } = entry;
  return (
    <div className="flex flex-col items-start gap-0.5 py-1 pr-12">
      <div className="max-w-full rounded-md bg-hover px-3 py-2 break-words whitespace-pre-wrap">
        {entry.body ?? (entry.media.length === 0 && <span className="text-soft">{t('inbox.gone')}</span>)}
        <Attachments media={entry.media} />
      </div>
      <p className="text-xs text-soft">
        <Clock at={entry.at} />
        {meaning && meaning !== 'text' && (
          <span className={meaning === 'opt_out' ? 'font-medium text-failed' : ''}>
            {` · ${t(`meaning.${meaning}` as Key)}`}
          </span>
        )}
      </p>
    </div>
  );
}

function Note({ entry }: { entry: Entry }) {
  const t = useT();
  const author = useAuthor(entry.author);
  return (
    <div className="py-1">
      <div className="rounded-md border-l-4 border-waiting bg-[color-mix(in_oklab,var(--waiting)_12%,var(--sheet))] px-3 py-2">
        <p className="text-xs text-waiting">
          {t('inbox.note.of', { who: author })} <Clock at={entry.at} />
        </p>
        <p className="break-words whitespace-pre-wrap">{entry.body ?? t('inbox.gone')}</p>
      </div>
    </div>
  );
}

function Act({ entry }: { entry: Entry }) {
  const t = useT();
  const who = useAuthor(entry.author);
  return (
    <p className="py-1 text-center text-xs text-soft">
      {t(`inbox.act.${entry.act}` as Key, { who })} <Clock at={entry.at} />
    </p>
  );
}

function Consent({ line }: { line: Schemas['ConsentLine'] }) {
  const t = useT();
  const how = line.method ? ` (${t(`method.${line.method}` as Key)})` : '';
  return (
    <p className="py-1 text-center text-xs font-medium text-soft">
      {t('inbox.consent', { what: t(`consent.${line.action}` as Key) + how })} <Clock at={line.at} />
    </p>
  );
}

/** Who has done something: a person by name, where that may be known. */
function useAuthor(author: string | null): string {
  const t = useT();
  const names = useNames();
  const [kind, id = ''] = author?.split(':') ?? [];
  if (kind === 'user') return names.of(id) ?? t('inbox.owner.person');
  if (kind === 'key') return t('menu.program');
  return t('inbox.owner.assistant');
}
