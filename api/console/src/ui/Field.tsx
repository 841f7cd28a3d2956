import { useId, type ComponentProps, type ReactNode } from 'react';

type Around = { label: string; hint?: ReactNode; error?: string | undefined };

const BOX = 'w-full rounded-md border border-line bg-sheet px-2 text-sm text-ink placeholder:text-soft';

/** A label, what it labels, and what is to be known or is wrong about it. */
function Labelled({
  label,
  hint,
  error,
  children,
}: Around & { children: (id: string, told: string | undefined) => ReactNode }) {
  const id = useId();
  const told = error || hint ? `${id}-told` : undefined;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-xs font-medium text-soft">
        {label}
      </label>
      {children(id, told)}
      {told && (
        <div id={told} className={`text-xs ${error ? 'text-failed' : 'text-soft'}`}>
          {error ?? hint}
        </div>
      )}
    </div>
  );
}

export function TextField({ label, hint, error, className = '', ...rest }: Around & ComponentProps<'input'>) {
  return (
    <Labelled label={label} hint={hint} error={error}>
      {(id, told) => (
        <input
          id={id}
          aria-describedby={told}
          aria-invalid={error ? true : undefined}
          className={`${BOX} h-8 ${className}`}
          {...rest}
        />
      )}
    </Labelled>
  );
}

export function TextArea({
  label,
  hint,
  error,
  className = '',
  ...rest
}: Around & ComponentProps<'textarea'>) {
  return (
    <Labelled label={label} hint={hint} error={error}>
      {(id, told) => (
        <textarea
          id={id}
          aria-describedby={told}
          aria-invalid={error ? true : undefined}
          className={`${BOX} py-1.5 ${className}`}
          {...rest}
        />
      )}
    </Labelled>
  );
}

type Choice = readonly [value: string, label: string];

export function SelectField({
  label,
  hint,
  error,
  choices,
  ...rest
}: Around & ComponentProps<'select'> & { choices: readonly Choice[] }) {
  return (
    <Labelled label={label} hint={hint} error={error}>
      {(id, told) => (
        <select id={id} aria-describedby={told} className={`${BOX} h-8`} {...rest}>
          {choices.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

export function CheckField({ label, ...rest }: { label: string } & ComponentProps<'input'>) {
  return (
    <label className="flex items-center gap-2 text-sm">
      <input type="checkbox" className="size-4 accent-accent-strong" {...rest} />
      {label}
    </label>
  );
}
