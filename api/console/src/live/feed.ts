import { signed, type Schemas } from '../api/client';
import { patience, take, type Sent } from './parse';

export type LiveMessage = Schemas['LiveMessage'];
export type Connection = 'off' | 'connecting' | 'live';

type Listener = (name: string, message: LiveMessage) => void;

/** The one connection of this tab to what moves: for all topics that its pages show. */
export class Feed {
  state: Connection = 'off';
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly watchers = new Set<() => void>();
  private stop: AbortController | null = null;
  private last = '';

  /** Hears of a topic until the answer is called. */
  join(topic: string, listener: Listener): () => void {
    const known = this.listeners.get(topic) ?? new Set();
    known.add(listener);
    this.listeners.set(topic, known);
    if (known.size === 1) this.restart();
    return () => {
      known.delete(listener);
      if (known.size === 0) {
        this.listeners.delete(topic);
        this.restart();
      }
    };
  }

  /** Calls back whenever the connection changes. */
  watch = (watcher: () => void) => {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  };

  private restart() {
    this.stop?.abort();
    this.stop = null;
    this.last = '';
    if (this.listeners.size === 0) return this.become('off');
    const stop = (this.stop = new AbortController());
    // Pages that change join and leave at once: one connection for all of it.
    setTimeout(() => void this.follow(stop.signal), 20);
  }

  private async follow(stop: AbortSignal) {
    for (let failures = 0; !stop.aborted;) {
      this.become('connecting');
      try {
        const answer = await signed(this.request(stop));
        if (!answer.ok || !answer.body) throw new Error(`HTTP ${answer.status}`);
        failures = 0;
        this.become('live');
        await this.read(answer.body);
      } catch {
        failures += 1;
      }
      if (!stop.aborted) await new Promise((done) => setTimeout(done, patience(failures)));
    }
  }

  private request(signal: AbortSignal): Request {
    const topics = [...this.listeners.keys()].sort().join(',');
    const headers = this.last ? { 'last-event-id': this.last } : undefined;
    return new Request(`/v1/live?topics=${encodeURIComponent(topics)}`, { headers, signal });
  }

  private async read(body: ReadableStream<Uint8Array>) {
    const decoder = new TextDecoder();
    const reader = body.getReader();
    let text = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const { events, rest } = take(text + decoder.decode(value, { stream: true }));
      text = rest;
      events.forEach((event) => this.say(event));
    }
  }

  private say({ id, name, data }: Sent) {
    const message = JSON.parse(data) as LiveMessage;
    if (id) this.last = id;
    this.listeners.get(message.topic)?.forEach((listener) => listener(name, message));
  }

  private become(state: Connection) {
    this.state = state;
    this.watchers.forEach((watcher) => watcher());
  }
}

/** The connection of this tab. */
export const feed = new Feed();
