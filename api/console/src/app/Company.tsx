import { useEffect } from 'react';
import { useMe } from '../api/me';
import { readable } from './colour';
import { useIsDark } from './theme';

/** The grounds of `style.css`, that what is drawn in the company's colour stands out from. */
const LIGHT = '#f6f7f9';
const DARK = '#12141a';

/** Has what is pressed, focused and chosen in the company's colour, as far as it can be seen. */
export function useCompanyColour() {
  const colour = useMe().data?.tenant.theme.colour;
  const isDark = useIsDark();
  useEffect(() => {
    if (!colour) return;
    const { style } = document.documentElement;
    const seen = isDark ? readable(colour, DARK, '#ffffff', 3) : readable(colour, LIGHT, '#000000', 3);
    style.setProperty('--accent', seen);
    style.setProperty('--accent-strong', readable(colour, '#ffffff', '#000000', 4.5));
    return () => {
      style.removeProperty('--accent');
      style.removeProperty('--accent-strong');
    };
  }, [colour, isDark]);
}

/** The company's sign: its first letter on its colour. */
export function Sign({ name }: { name: string }) {
  return (
    <span
      aria-hidden="true"
      className="flex size-6 shrink-0 items-center justify-center rounded-md bg-accent-strong text-xs
        font-semibold text-white"
    >
      {name.slice(0, 1).toUpperCase()}
    </span>
  );
}
