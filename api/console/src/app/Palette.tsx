import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import { useState } from 'react';
import type { Schemas } from '../api/client';
import { useMe } from '../api/me';
import { useT, type Key } from '../i18n';
import { useCampaigns } from '../pages/campaigns/data';
import { useFound } from '../pages/inbox/data';
import { Dialog } from '../ui/Dialog';
import { useLater } from '../ui/later';
import { usePlaces } from './places';

/** The inbox as people look at it most. */
const VIEWS: [name: Key, to: string, ofPerson?: true][] = [
  ['inbox.unread.only', '/inbox?unread=true'],
  ['inbox.attention', '/inbox?attention=true'],
  ['inbox.who.mine', '/inbox?who=mine', true],
  ['inbox.quarantined', '/inbox?tab=quarantined'],
];

/** What is begun most, for who may. */
const ACTS: [name: Key, to: string, needs: Schemas['Permission']][] = [
  ['campaigns.new', '/campaigns/new', 'edit_campaigns'],
  ['templates.new', '/templates/new', 'edit_campaigns'],
  ['contacts.import', '/contacts/import', 'edit_contacts'],
];

const ITEM = 'flex cursor-pointer gap-3 rounded-md px-2 py-1.5 data-[selected=true]:bg-hover';

/** Everything by its name: places, conversations, campaigns, and why a number was not written to. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const t = useT();
  const navigate = useNavigate();
  const campaigns = useCampaigns();
  const places = usePlaces();
  const me = useMe().data;
  const isPerson = Boolean(me?.person);
  const acts = ACTS.filter(([, , needs]) => me?.permissions.includes(needs));
  const [typed, setTyped] = useState('');
  const conversations = useFound(useLater(typed)).data?.data ?? [];
  const views = VIEWS.filter(([, , ofPerson]) => !ofPerson || isPerson);
  const go = (to: string) => {
    onClose();
    void navigate({ to });
  };
  return (
    <Dialog title={t('palette.title')} onClose={onClose} wide>
      <Command label={t('palette.title')}>
        <Command.Input
          value={typed}
          onValueChange={setTyped}
          placeholder={t('palette.hint')}
          className="mb-2 h-9 w-full rounded-md border border-line bg-sheet px-2"
        />
        <Command.List className="max-h-80 overflow-auto">
          <Command.Empty className="p-2 text-soft">{t('palette.nothing')}</Command.Empty>
          <Command.Group heading={t('palette.places')}>
            {places.map((place) => (
              <Command.Item
                key={place.to}
                value={t(place.name)}
                className={ITEM}
                onSelect={() => go(place.to)}
              >
                <span aria-hidden="true">{place.sign}</span>
                {t(place.name)}
              </Command.Item>
            ))}
          </Command.Group>
          <Command.Group heading={t('palette.acts')}>
            {acts.map(([name, to]) => (
              <Command.Item key={to} value={t(name)} className={ITEM} onSelect={() => go(to)}>
                {t(name)}
              </Command.Item>
            ))}
          </Command.Group>
          <Command.Group heading={t('palette.views')}>
            {views.map(([name, to]) => (
              <Command.Item
                key={to}
                value={`${t('nav.inbox')} ${t(name)}`}
                className={ITEM}
                onSelect={() => go(to)}
              >
                {t(name)}
              </Command.Item>
            ))}
          </Command.Group>
          {conversations.length > 0 && (
            <Command.Group heading={t('palette.conversations')}>
              {conversations.map((one) => (
                <Command.Item
                  key={one.id}
                  value={`${typed} ${one.id}`}
                  className={ITEM}
                  onSelect={() => go(`/inbox?status=all&id=${one.id}`)}
                >
                  {one.contact_name || one.address}
                </Command.Item>
              ))}
            </Command.Group>
          )}
          <Command.Group heading={t('nav.campaigns')}>
            {campaigns.rows.map((one) => (
              <Command.Item
                key={one.id}
                value={`${one.name} ${one.id}`}
                className={ITEM}
                onSelect={() => go(`/campaigns/${one.id}`)}
              >
                {one.name}
              </Command.Item>
            ))}
          </Command.Group>
          {typed.length > 3 && (
            <Command.Item
              value={`why ${typed}`}
              forceMount
              className={ITEM}
              onSelect={() => go(`/why?of=${encodeURIComponent(typed)}`)}
            >
              {t('palette.why', { what: typed })}
            </Command.Item>
          )}
        </Command.List>
      </Command>
    </Dialog>
  );
}
