import { useState, type KeyboardEvent, type RefObject } from 'react';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Time, useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { useLater } from '../../ui/later';
import { ProblemNote } from '../../ui/Problem';
import { useNote, usePreview, useReply } from './acts';
import { Canned, useOffered } from './Canned';
import { forgetKey, keep, kept, keyOf, type Mode } from './drafts';

type Props = {
  conversation: Schemas['Conversation'];
  mode: Mode;
  onMode: (mode: Mode) => void;
  /** Called once something has been taken. */
  onWritten: () => void;
  box: RefObject<HTMLTextAreaElement | null>;
};

/** Where a reply or a note is written. What a reply comes to is said before it is sent. */
export function Composer({ conversation, mode, onMode, onWritten, box }: Props) {
  const t = useT();
  const { id } = conversation;
  const [texts, setTexts] = useState(() => kept(id));
  const text = texts[mode];
  const set = (next: string) => setTexts(keep(id, mode, next));
  const offered = useOffered(id, mode === 'reply' ? text : '', set);
  const sending = useSending(id, mode, set, onWritten);
  const body = text.trim();
  const mayReply = conversation.reply_until !== null;
  const cannot = !body || sending.isPending || offered.isOpen || (mode === 'reply' && !mayReply);
  const send = () => !cannot && sending.send(body);
  const pressed = (event: KeyboardEvent) => {
    if (offered.press(event)) return;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
    if (event.key === 'Escape') box.current?.blur();
  };
  return (
    <div className="relative flex flex-col gap-2 border-t border-line p-3">
      <Canned offered={offered} />
      <div role="group" aria-label={t('inbox.mode')} className="flex flex-wrap items-center gap-1">
        {(['reply', 'note'] as const).map((one) => (
          <Button
            key={one}
            kind={mode === one ? 'plain' : 'quiet'}
            className="h-7"
            aria-pressed={mode === one}
            onClick={() => onMode(one)}
          >
            {t(`inbox.mode.${one}`)}
          </Button>
        ))}
        {mode === 'reply' && !mayReply && <p className="text-xs text-waiting">{t('inbox.cannot')}</p>}
      </div>
      <textarea
        ref={box}
        rows={3}
        aria-label={t(`inbox.mode.${mode}`)}
        placeholder={t(`inbox.hint.${mode}`)}
        value={text}
        onChange={(e) => set(e.target.value)}
        onKeyDown={pressed}
        {...offered.box}
        className={`w-full resize-y rounded-md border border-line px-2 py-1.5 text-sm placeholder:text-soft ${
          mode === 'note' ? 'bg-[color-mix(in_oklab,var(--waiting)_12%,var(--sheet))]' : 'bg-sheet'
        }`}
      />
      <ProblemNote error={sending.error ?? offered.error} />
      <div className="flex flex-wrap items-center justify-between gap-2">
        {mode === 'reply' ? <Counts id={id} body={offered.isOpen ? '' : body} /> : <span />}
        <Button kind="primary" disabled={cannot} onClick={send}>
          {sending.isPending ? t('inbox.sending') : t(`inbox.send.${mode}`)}
        </Button>
      </div>
    </div>
  );
}

/** What the text would be as a reply, as the api says it. */
function Counts({ id, body }: { id: string; body: string }) {
  const t = useT();
  const format = useFormat();
  const preview = usePreview(id, useLater(body));
  if (!body) return <span className="text-xs text-soft">{t('inbox.keys')}</span>;
  if (preview.isError) return <ProblemNote error={preview.error} />;
  if (!preview.data) return <span className="text-xs text-soft">{t('inbox.counting')}</span>;
  const { segments, encoding, cost, reply_until, body: sent } = preview.data;
  return (
    <span role="status" className="text-xs text-soft">
      {t('inbox.counts', { segments, encoding, cost: format.money(cost) })}
      {sent !== body && ` · ${t('inbox.written.otherwise')}`}
      {reply_until && (
        <>
          {` · ${t('inbox.until')} `}
          <Time at={reply_until} />
        </>
      )}
    </span>
  );
}

/**
 * Sends a text as what it is. The text leaves the box at once, and comes back where it was refused;
 * the same text again is then the same request.
 */
function useSending(id: string, mode: Mode, put: (text: string) => void, done: () => void) {
  const reply = useReply(id);
  const note = useNote(id);
  const run = mode === 'reply' ? reply : note;
  const send = (body: string) => {
    const taken = () => {
      forgetKey(id, mode);
      done();
    };
    // Whoever has gone on to another conversation meanwhile finds it here as well.
    const refused = () => kept(id)[mode] === '' && put(body);
    put('');
    run.mutateAsync({ body, key: keyOf(id, mode, body) }).then(taken, refused);
  };
  return { send, isPending: run.isPending, error: run.error };
}
