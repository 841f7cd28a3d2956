import { useMutation } from '@tanstack/react-query';
import type { FormEvent, ReactNode } from 'react';
import { Button } from '../../ui/Button';
import { ProblemNote } from '../../ui/Problem';

type Props<T> = {
  act: (form: FormData) => Promise<T>;
  onDone: (done: T) => void;
  button: string;
  children: ReactNode;
};

/** Some fields with the button that sends them, and what is wrong with them. */
export function Form<T>({ act, onDone, button, children }: Props<T>) {
  const sent = useMutation({ mutationFn: act, onSuccess: onDone });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    sent.mutate(new FormData(event.currentTarget));
  };
  return (
    <form className="flex flex-col gap-3" onSubmit={submit}>
      {children}
      <ProblemNote error={sent.error} />
      <Button kind="primary" type="submit" disabled={sent.isPending}>
        {button}
      </Button>
    </form>
  );
}
