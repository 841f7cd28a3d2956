/** An instant as a field of the reader's own time has it, to the minute; empty where there is none. */
export function fieldOf(at: string | undefined): string {
  if (!at || Number.isNaN(Date.parse(at))) return '';
  const date = new Date(at);
  const own = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return own.toISOString().slice(0, 16);
}

/** The instant of such a field, as the API has it; none where it is empty. */
export const instantOf = (field: string) => (field ? new Date(field).toISOString() : undefined);
