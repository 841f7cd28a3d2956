import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Facts } from '../../ui/Facts';
import { Coming } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { useContact } from '../contact/data';
import { Standing } from '../contacts';
import { useInboxes } from '../settings/data';
import { useNames } from './data';

/** Who writes: as far as it is known, and how they may be written to. */
export function Person({ conversation }: { conversation: Schemas['Conversation'] }) {
  const t = useT();
  const contact = useContact(conversation.contact_id);
  const inboxes = useInboxes().rows;
  const names = useNames();
  const format = useFormat();
  const { assignee, labels } = conversation;
  const inbox = inboxes.find((one) => one.id === conversation.inbox_id)?.name;
  const person = contact.data;
  return (
    <aside
      aria-label={t('inbox.person')}
      className="hidden min-h-0 flex-col gap-4 overflow-y-auto border-l border-line p-3 xl:flex"
      tabIndex={0}
    >
      <ProblemNote error={contact.error} />
      {!person && !contact.error && <Coming says={t('list.loading')} />}
      {person && (
        <>
          <Link to="/contacts/$id" params={{ id: person.id }} className="font-semibold underline">
            {`${person.first_name} ${person.last_name}`.trim() || conversation.address}
          </Link>
          <Facts
            facts={[
              [t('field.standing'), <Standing key="standing" contact={person} />],
              [t('inbox.address'), conversation.address],
              [t('field.language'), person.language],
              [t('field.zone'), person.time_zone],
              [t('field.tags'), person.tags.join(', ')],
              [t('inbox.labels'), labels.join(', ')],
              [t('inbox.inbox'), inbox],
              [t('inbox.assignee'), assignee && (names.of(assignee) ?? t('inbox.owner.person'))],
              [t('inbox.opened'), format.day(conversation.opened_at)],
            ]}
          />
        </>
      )}
    </aside>
  );
}
