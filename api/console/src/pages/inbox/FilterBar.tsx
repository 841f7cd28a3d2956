import { useNavigate } from '@tanstack/react-router';
import { useEffect, useEffectEvent, useState } from 'react';
import { useMe } from '../../api/me';
import { useT } from '../../i18n';
import { CheckField, SelectField, TextField } from '../../ui/Field';
import { useInboxes } from '../settings/data';
import { changed, STATUSES, WHO, type Filters } from './filters';

type Props = { filters: Filters; id: string | undefined };

/** What the list is narrowed to. It stands in the URL; what is typed does so shortly after. */
export function FilterBar({ filters, id }: Props) {
  const t = useT();
  const navigate = useNavigate();
  const isPerson = Boolean(useMe().data?.person);
  const inboxes = useInboxes().rows;
  const set = (name: keyof Filters, value: string) => {
    const next = changed(filters, name, value);
    return navigate({ to: '/inbox', search: id ? { ...next, id } : next, replace: true });
  };
  const who = WHO.filter((one) => one !== 'mine' || isPerson);
  const isOpen = Boolean(filters.inbox || filters.label || filters.channel || filters.attention);
  return (
    <div className="flex flex-col gap-2 border-b border-line p-3">
      <Typed type="search" name="q" known={filters.q ?? ''} set={set} />
      <div className="grid grid-cols-2 gap-2">
        <SelectField
          label={t('field.state')}
          value={filters.status ?? STATUSES[0]}
          onChange={(e) => void set('status', e.target.value)}
          choices={STATUSES.map((one) => [one, t(`inbox.status.${one}`)] as const)}
        />
        <SelectField
          label={t('inbox.who')}
          value={filters.who ?? ''}
          onChange={(e) => void set('who', e.target.value)}
          choices={[['', t('field.any')], ...who.map((one) => [one, t(`inbox.who.${one}`)] as const)]}
        />
      </div>
      <details open={isOpen}>
        <summary className="text-xs text-soft">{t('inbox.filters')}</summary>
        <div className="grid grid-cols-2 gap-2 pt-2">
          <SelectField
            label={t('inbox.inbox')}
            value={filters.inbox ?? ''}
            onChange={(e) => void set('inbox', e.target.value)}
            choices={[['', t('field.any')], ...inboxes.map((one) => [one.id, one.name] as const)]}
          />
          <SelectField
            label={t('inbox.channel')}
            value={filters.channel ?? ''}
            onChange={(e) => void set('channel', e.target.value)}
            choices={[
              ['', t('field.any')],
              ['sms', t('inbox.channel.sms')],
              ['whatsapp', t('inbox.channel.whatsapp')],
            ]}
          />
          <Typed name="label" known={filters.label ?? ''} set={set} />
          <CheckField
            label={t('inbox.attention')}
            checked={filters.attention === 'true'}
            onChange={(e) => void set('attention', e.target.checked ? 'true' : '')}
          />
        </div>
      </details>
      <CheckField
        label={t('inbox.unread.only')}
        checked={filters.unread === 'true'}
        onChange={(e) => void set('unread', e.target.checked ? 'true' : '')}
      />
    </div>
  );
}

type TypedProps = {
  name: 'q' | 'label';
  type?: string;
  known: string;
  set: (name: keyof Filters, value: string) => Promise<void>;
};

/** What is typed, until it stands in the URL. */
function Typed({ name, type = 'text', known, set }: TypedProps) {
  const t = useT();
  const [typed, setTyped] = useState<string | null>(null);
  const write = useEffectEvent(async (text: string) => {
    await set(name, text);
    setTyped((now) => (now === text ? null : now));
  });
  useEffect(() => {
    if (typed === null) return;
    const timer = setTimeout(() => void write(typed), 250);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <TextField
      type={type}
      label={t(`inbox.filter.${name}`)}
      value={typed ?? known}
      onChange={(e) => setTyped(e.target.value)}
    />
  );
}
