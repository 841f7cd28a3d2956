import type { ButtonHTMLAttributes } from 'react';

const KINDS = {
  primary: 'bg-accent-strong text-white border-transparent hover:brightness-110',
  plain: 'bg-sheet text-ink border-line hover:bg-hover',
  quiet: 'bg-transparent text-ink border-transparent hover:bg-hover',
  danger: 'bg-sheet text-failed border-failed hover:bg-hover',
};

type Props = ButtonHTMLAttributes<HTMLButtonElement> & { kind?: keyof typeof KINDS };

/** How anything looks that is pressed, buttons and links alike. */
export const pressed = (kind: keyof typeof KINDS = 'plain') =>
  `inline-flex items-center justify-center gap-1.5 rounded-md border px-3 h-8 text-sm font-medium
   whitespace-nowrap disabled:opacity-55 ${KINDS[kind]}`;

export function Button({ kind, className = '', ...rest }: Props) {
  return <button type="button" className={`${pressed(kind)} ${className}`} {...rest} />;
}
