import { useSearch } from '@tanstack/react-router';
import { useT } from '../../i18n';
import { Empty, Page, Tabs } from '../../ui/Page';
import { Conversation } from './Conversation';
import { useLiveList } from './data';
import type { Filters } from './filters';
import { ConversationList } from './List';
import { Quarantined } from './Quarantined';
import { Sound } from './Sound';

/** What people write, who answers, and the answering itself. */
export default function Inbox() {
  const t = useT();
  const { tab = 'conversations', id, ...filters } = useSearch({ from: '/frame/inbox' });
  const tabs: [string, string][] = [
    ['conversations', t('inbox.conversations')],
    ['quarantined', t('inbox.quarantined')],
  ];
  return (
    <Page title={t('nav.inbox')} actions={<Sound />}>
      <Tabs tabs={tabs} now={tab} label={t('nav.inbox')} />
      {tab === 'quarantined' ? <Quarantined /> : <Conversations id={id} filters={filters} />}
    </Page>
  );
}

/** The list and what is open of it, side by side; on a phone one or the other. */
function Conversations({ id, filters }: { id: string | undefined; filters: Filters }) {
  const t = useT();
  useLiveList(filters.inbox);
  return (
    <div
      className="grid h-[calc(100dvh-210px)] min-h-120 grid-cols-1 overflow-hidden rounded-md border
        border-line bg-sheet md:grid-cols-[300px_minmax(0,1fr)] xl:grid-cols-[320px_minmax(0,1fr)]"
    >
      <div className={`min-h-0 border-line md:flex md:border-r ${id ? 'hidden' : 'flex'}`}>
        <ConversationList id={id} filters={filters} />
      </div>
      {id ? (
        <Conversation key={id} id={id} filters={filters} />
      ) : (
        <div className="hidden p-4 md:block">
          <Empty says={t('inbox.choose')} />
        </div>
      )}
    </div>
  );
}
