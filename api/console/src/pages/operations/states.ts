/** The states in which a message is still on its way, in the order in which they come. */
export const OPEN = ['accepted', 'deferred', 'held', 'queued', 'in_doubt'] as const;

/** One reason for which messages stand in a state, by the name of the totals. */
export type Cause = { name: string; count: number };

/** Why messages stand in a state: `deferred.quiet_hours` of the totals, the most frequent first. */
export function causesOf(totals: Record<string, number>, state: string): Cause[] {
  return Object.entries(totals)
    .filter(([name, count]) => name.startsWith(`${state}.`) && count > 0)
    .map(([name, count]) => ({ name: name.slice(state.length + 1), count }))
    .sort((one, other) => other.count - one.count || one.name.localeCompare(other.name));
}
