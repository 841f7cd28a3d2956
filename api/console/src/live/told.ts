import { useEffect, useEffectEvent } from 'react';
import { feed } from './feed';

/** How often a page is told at most, in milliseconds. */
const AT_MOST = 1_000;

/**
 * Tells a page that something happened to one of these topics, or may have while it was not
 * connected. What comes in quick succession is told once: at once, and again at the end.
 */
export function useTold(topics: string[], hear: () => void, atMost = AT_MOST) {
  const heard = useEffectEvent(hear);
  const names = topics.join(',');
  useEffect(() => {
    if (!names) return;
    const paced = pace(heard, atMost);
    const leave = names.split(',').map((topic) => feed.join(topic, paced.call));
    return () => {
      leave.forEach((one) => one());
      paced.stop();
    };
  }, [names, atMost]);
}

/** Calls at once, and while calls keep coming once in so many milliseconds. */
export function pace(run: () => void, atMost: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const wait = () => {
    timer = setTimeout(() => {
      timer = undefined;
      if (!again) return;
      again = false;
      run();
      wait();
    }, atMost);
  };
  return {
    call: () => {
      if (timer !== undefined) return void (again = true);
      run();
      wait();
    },
    stop: () => clearTimeout(timer),
  };
}
