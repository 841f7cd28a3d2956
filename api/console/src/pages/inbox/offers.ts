import type { Schemas } from '../../api/client';

export type Answer = Schemas['CannedAnswer'];

/** What is looked for where a text begins with `/`; none where it is a text. */
export const wanted = (text: string): string | null =>
  text.startsWith('/') && !text.includes('\n') ? text.slice(1).trim().toLocaleLowerCase() : null;

/** The most that are offered at once. */
const MOST = 8;

/** The answers whose name or text holds what is looked for, those whose name begins with it first. */
export function matching(answers: Answer[], what: string): Answer[] {
  const rank = ({ name, body }: Answer) => {
    const called = name.toLocaleLowerCase();
    if (called.startsWith(what)) return 0;
    if (called.includes(what)) return 1;
    return body.toLocaleLowerCase().includes(what) ? 2 : 3;
  };
  return answers
    .map((answer) => ({ answer, rank: rank(answer) }))
    .filter((one) => one.rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, MOST)
    .map((one) => one.answer);
}
