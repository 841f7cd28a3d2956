import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Age } from '../../i18n/format';
import type { Filters } from './filters';
import { Ring } from './Ring';
import { initials } from './times';

type Conversation = Schemas['Conversation'];
type Props = {
  conversation: Conversation;
  filters: Filters;
  isOpen: boolean;
  nameOf: (id: string) => string | undefined;
};

/** One conversation of the list: who, what was said last and when, and who looks after it. */
export function Row({ conversation, filters, isOpen, nameOf }: Props) {
  const t = useT();
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isOpen) row.current?.scrollIntoView({ block: 'nearest' });
  }, [isOpen]);
  const { id, unread, last_text: last, channel, attention } = conversation;
  const name = conversation.contact_name || conversation.address || t('inbox.somebody');
  return (
    <li
      ref={row}
      className="border-b border-line [contain-intrinsic-size:auto_62px] [content-visibility:auto]"
    >
      <Link
        to="/inbox"
        search={{ ...filters, id }}
        className={`flex flex-col gap-1 px-3 py-2 hover:bg-hover ${
          isOpen ? 'bg-hover shadow-[inset_3px_0_0_var(--accent)]' : ''
        }`}
      >
        <span className="flex items-center gap-2">
          <span className={`min-w-0 flex-1 truncate ${unread > 0 ? 'font-semibold' : 'font-medium'}`}>
            {name}
          </span>
          {channel === 'whatsapp' && <Ring seconds={conversation.reply_seconds_left} />}
          <span className="text-xs whitespace-nowrap text-soft">
            <Age at={last?.at} />
          </span>
        </span>
        <span className="flex items-center gap-2 text-xs text-soft">
          <span className={`min-w-0 flex-1 truncate ${unread > 0 ? 'text-ink' : ''}`}>
            {last?.direction === 'out' && t('inbox.ours')}
            {last && (last.body ?? t('inbox.gone'))}
          </span>
          {attention && <span className="text-waiting">{t(`inbox.attention.${attention}`)}</span>}
          <Owner conversation={conversation} nameOf={nameOf} />
          {unread > 0 && (
            <span className="rounded-full bg-accent-strong px-1.5 font-semibold text-white">
              {unread}
              <span className="sr-only"> {t('inbox.unread')}</span>
            </span>
          )}
        </span>
      </Link>
    </li>
  );
}

/** Who looks after it: a person's first letters, or a spark for the assistant. */
function Owner({ conversation, nameOf }: Pick<Props, 'conversation' | 'nameOf'>) {
  const t = useT();
  const { owner, assignee } = conversation;
  const name = (assignee && nameOf(assignee)) || t(`inbox.owner.${owner}`);
  const sign = { assistant: '✦', person: (assignee && initials(nameOf(assignee) ?? '')) || '☺', nobody: '○' };
  return (
    <span title={name} className={owner === 'assistant' ? 'text-held' : ''}>
      <span aria-hidden="true">{sign[owner]}</span>
      <span className="sr-only">{name}</span>
    </span>
  );
}
