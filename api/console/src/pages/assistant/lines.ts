import type { Schemas } from '../../api/client';

/** Texts as lines; lines without anything are left out. */
export const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** A line in two at its first `=`; what has none is all before it. */
function halves(line: string): [string, string] {
  const at = line.indexOf('=');
  return at < 0 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}

/** Words with an answer of their own, one a line: `hours, opening = Nine to six.` */
export const keywordsOf = (text: string): Schemas['KeywordAnswer'][] =>
  linesOf(text).map((line) => {
    const [words, answer] = halves(line);
    const all = words.split(',').map((word) => word.trim());
    return { words: all.filter(Boolean), answer };
  });

/** The same as it is written. */
export const keywordLines = (all: Schemas['KeywordAnswer'][]) =>
  all.map(({ words, answer }) => `${words.join(', ')} = ${answer.replaceAll('\n', ' ')}`).join('\n');

/** What is to be found out, one a line: `visit_day = when they want to come` */
export const qualificationOf = (text: string): Schemas['QualificationField'][] =>
  linesOf(text).map((line) => {
    const [name, about] = halves(line);
    return { name, about };
  });

/** The same as it is written. */
export const qualificationLines = (all: Schemas['QualificationField'][]) =>
  all.map(({ name, about }) => `${name} = ${about}`).join('\n');
