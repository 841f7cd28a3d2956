import { useState } from 'react';
import { useT } from '../i18n';
import { Button } from './Button';
import { Dialog } from './Dialog';
import { TextField } from './Field';

type Props = {
  title: string;
  /** What will happen. */
  says: string;
  /** What the button does, by its name. */
  act: string;
  /** What has to be typed, where it cannot be undone. */
  typed?: string;
  onConfirm: () => void;
  onClose: () => void;
};

/** Asks before what cannot be undone. */
export function Confirm({ title, says, act, typed, onConfirm, onClose }: Props) {
  const t = useT();
  const [text, setText] = useState('');
  const done = () => {
    onConfirm();
    onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{says}</p>
      {typed && (
        <TextField
          label={t('confirm.type', { what: typed })}
          value={text}
          onChange={(e) => setText(e.target.value)}
        />
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>{t('act.cancel')}</Button>
        <Button kind="danger" disabled={typed !== undefined && text !== typed} onClick={done}>
          {act}
        </Button>
      </div>
    </Dialog>
  );
}
