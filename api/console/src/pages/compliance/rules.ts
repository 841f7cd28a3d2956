/** What a rule of a policy may say, as a form has it. */
export type Leaf = string | number | boolean | null | (string | number)[];

/** One rule: its name with dots between, and what it says. */
export type Rule = { name: string; says: Leaf };

const isLeaf = (value: unknown): value is Leaf =>
  value === null ||
  typeof value !== 'object' ||
  (Array.isArray(value) && value.every((one) => typeof one !== 'object'));

/** Every rule of a policy that a field can hold, in the order of the policy. */
export function rulesOf(policy: unknown, name = ''): Rule[] {
  if (isLeaf(policy)) return name ? [{ name, says: policy }] : [];
  if (Array.isArray(policy)) return [];
  return Object.entries(policy as object).flatMap(([key, part]) =>
    rulesOf(part, name ? `${name}.${key}` : key),
  );
}

/** The policy with one rule said otherwise; what was given stays as it is. */
export function withRule<T>(policy: T, name: string, says: Leaf): T {
  const [key = '', ...rest] = name.split('.');
  const known = policy as Record<string, unknown>;
  const next = rest.length > 0 ? withRule(known[key], rest.join('.'), says) : says;
  return { ...known, [key]: next } as T;
}

/** What was typed, as the kind of thing that the rule says. */
export function leafOf(typed: string, before: Leaf): Leaf {
  const text = typed.trim();
  if (Array.isArray(before)) {
    const parts = text.split(',').map((one) => one.trim());
    const said = parts.filter(Boolean);
    return before.every((one) => typeof one === 'number') && before.length > 0 ? said.map(Number) : said;
  }
  if (typeof before === 'number') return Number(text);
  return text === '' ? null : text;
}
