import { useState, type FormEvent, type KeyboardEvent } from 'react';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { useFillIn } from './acts';
import { matching, wanted, type Answer } from './offers';
import { useCanned } from './data';

const LIST = 'canned-answers';

/** The answers at hand that a text beginning with `/` asks for, and the choosing of one. */
export function useOffered(id: string, text: string, put: (text: string) => void) {
  const what = wanted(text);
  const isOpen = what !== null;
  const answers = useCanned(isOpen);
  const found = what === null ? [] : matching(answers.rows, what);
  const [at, setAt] = useState(0);
  const [asks, setAsks] = useState<Answer | null>(null);
  const fill = useFillIn(id);
  const index = Math.min(at, Math.max(found.length - 1, 0));

  const take = (answer: Answer, variables: Record<string, string> = {}) =>
    fill.mutate(
      { answer: answer.id, variables },
      {
        onSuccess: ({ body }) => {
          put(body);
          setAsks(null);
          setAt(0);
        },
        // What the contact's own fields do not say, a person does.
        onError: () => answer.required.length > 0 && setAsks(answer),
      },
    );
  const press = (event: KeyboardEvent): boolean => {
    const answer = found[index];
    if (!isOpen || !answer) return false;
    if (event.key === 'ArrowDown') setAt((index + 1) % found.length);
    else if (event.key === 'ArrowUp') setAt((index + found.length - 1) % found.length);
    else if (event.key === 'Enter' || event.key === 'Tab') take(answer);
    else return false;
    event.preventDefault();
    return true;
  };
  const active = found[index] ? { 'aria-activedescendant': `${LIST}-${index}` } : {};
  const box = isOpen ? { 'aria-controls': LIST, ...active } : {};
  const error = asks ? null : (answers.error ?? fill.error);
  return { isOpen, isPending: answers.isPending, found, index, asks, setAsks, take, press, box, error, fill };
}

/** Shows what is offered above the text, and asks for what an answer lacks. */
export function Canned({ offered }: { offered: ReturnType<typeof useOffered> }) {
  const t = useT();
  const { isOpen, isPending, found, index, asks, setAsks, take, fill } = offered;
  return (
    <>
      {isOpen && (
        <div className="absolute inset-x-3 bottom-full z-20 rounded-md border border-line bg-sheet p-1 shadow-xl">
          {found.length === 0 && (
            <p role="status" className="px-2 py-1.5 text-soft">
              {isPending ? t('list.loading') : t('inbox.canned.none')}
            </p>
          )}
          <ul id={LIST} role="listbox" aria-label={t('inbox.canned')}>
            {found.map((answer, at) => (
              <li
                key={answer.id}
                id={`${LIST}-${at}`}
                role="option"
                aria-selected={at === index}
                onClick={() => take(answer)}
                className={`flex cursor-pointer gap-3 rounded-md px-2 py-1.5 hover:bg-hover ${
                  at === index ? 'bg-hover' : ''
                }`}
              >
                <span className="font-medium whitespace-nowrap">{answer.name}</span>
                <span className="truncate text-soft">{answer.body}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {asks && (
        <Variables key={asks.id} answer={asks} fill={fill} take={take} onClose={() => setAsks(null)} />
      )}
    </>
  );
}

type Asked = {
  answer: Answer;
  fill: ReturnType<typeof useFillIn>;
  take: (answer: Answer, variables: Record<string, string>) => void;
  onClose: () => void;
};

function Variables({ answer, fill, take, onClose }: Asked) {
  const t = useT();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const given = [...form].map(([name, value]): [string, string] => [name, String(value).trim()]);
    take(answer, Object.fromEntries(given.filter(([, value]) => value !== '')));
  };
  return (
    <Dialog title={answer.name} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <p className="text-soft">{answer.body}</p>
        {answer.required.map((name) => (
          <TextField key={name} name={name} label={name} />
        ))}
        <ProblemNote error={fill.error} />
        <Button kind="primary" type="submit" disabled={fill.isPending}>
          {t('inbox.canned.put')}
        </Button>
      </form>
    </Dialog>
  );
}
