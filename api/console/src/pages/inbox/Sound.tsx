import { useEffect, useRef, useState } from 'react';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { useUnread } from './data';

const NAME = 'millrace.sound';

/** Whether a new text is heard: only where somebody asks for it, as this browser remembers. */
export function Sound() {
  const t = useT();
  const [isOn, setOn] = useState(() => localStorage.getItem(NAME) === 'on');
  useChime(isOn);
  const toggle = () => {
    localStorage.setItem(NAME, isOn ? 'off' : 'on');
    if (!isOn) chime();
    setOn(!isOn);
  };
  return (
    <Button kind="quiet" aria-pressed={isOn} onClick={toggle}>
      {isOn ? t('inbox.sound.on') : t('inbox.sound.off')}
    </Button>
  );
}

/** Sounds whenever there is more that nobody has read than there was. */
function useChime(isOn: boolean) {
  const unread = useUnread().data?.data.reduce((sum, one) => sum + one.unread, 0);
  const before = useRef(unread);
  useEffect(() => {
    if (isOn && unread !== undefined && unread > (before.current ?? unread)) chime();
    before.current = unread;
  }, [isOn, unread]);
}

/** A short, soft tone. Browsers that let no page sound before it is used stay quiet. */
function chime() {
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = 660;
  volume.gain.setValueAtTime(0.08, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + 0.25);
  tone.connect(volume).connect(audio.destination);
  tone.onended = () => void audio.close();
  tone.start();
  tone.stop(audio.currentTime + 0.25);
}
