/** One server-sent event. */
export type Sent = { id: string; name: string; data: string };

/** Takes whole events off a text of them; what is left is the beginning of the next. */
export function take(text: string): { events: Sent[]; rest: string } {
  const blocks = text.split(/\r?\n\r?\n/);
  const rest = blocks.pop() ?? '';
  const events = blocks.map(read).filter((one): one is Sent => one !== null);
  return { events, rest };
}

function read(block: string): Sent | null {
  const sent = { id: '', name: 'message', data: '' };
  for (const line of block.split(/\r?\n/)) {
    const at = line.indexOf(':');
    if (at <= 0) continue;
    const value = line.slice(at + 1).replace(/^ /, '');
    if (line.slice(0, at) === 'id') sent.id = value;
    if (line.slice(0, at) === 'event') sent.name = value;
    if (line.slice(0, at) === 'data') sent.data += (sent.data ? '\n' : '') + value;
  }
  return sent.data ? sent : null;
}

/** How long to wait before asking again, in milliseconds, after so many failures in a row. */
export const patience = (failures: number) => Math.min(30_000, 500 * 2 ** Math.min(failures, 6));
