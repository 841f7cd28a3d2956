/** One rule that two policies say differently. */
export type Difference = { rule: string; from: string; to: string };

/** The rules that differ, by their names with dots between, in order. */
export function differences(before: unknown, after: unknown): Difference[] {
  const [old, next] = [flat(before), flat(after)];
  const rules = [...new Set([...old.keys(), ...next.keys()])].sort();
  return rules
    .map((rule) => ({ rule, from: old.get(rule) ?? '–', to: next.get(rule) ?? '–' }))
    .filter(({ from, to }) => from !== to);
}

function flat(value: unknown, name = '', into = new Map<string, string>()): Map<string, string> {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    for (const [key, part] of Object.entries(value)) flat(part, name ? `${name}.${key}` : key, into);
  } else {
    into.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return into;
}
