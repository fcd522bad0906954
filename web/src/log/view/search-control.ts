/** One search: what is typed, what the server has counted, where one stands in it. */
import { computed, signal } from "@preact/signals";
import type { Count, Match, SearchHandle } from "../model";
import type { LogHandle } from "./source";
import { matcherOf, type Query } from "./matcher";

/** Typing rests that long before the server is asked. */
const TYPING_MS = 250;

export interface SearchHost {
  source(): Pick<LogHandle, "search">;
  /** The lines in sight: where a search begins, unless its last match is among them. */
  sight(): { top: number; bottom: number };
  lastSeq(): number;
  show(match: Match): void;
  /** The query as it is to stand in the address. */
  remember(query: Query): void;
  changed(): void;
}

export class SearchControl {
  readonly open = signal(false);
  /** How often the field was asked for: it takes the focus each time. */
  readonly asked = signal(0);
  readonly query = signal<Query>({ text: "", regex: false, ignoreCase: true });
  readonly count = signal<Count | null>(null);
  readonly current = signal<Match | null>(null);
  /** What there is to say of the last step: nothing found, began anew, an error. */
  readonly note = signal("");
  readonly busy = signal(false);
  readonly matcher = computed(() => (this.open.value ? matcherOf(this.query.value) : null));
  private handle: SearchHandle | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn = 0;

  constructor(private readonly host: SearchHost) {}

  show(query?: Query): void {
    this.asked.value++;
    if (this.open.peek() && !query) return;
    this.open.value = true;
    if (query) this.query.value = query;
    this.restart(0);
  }

  type(change: Partial<Query>): void {
    this.query.value = { ...this.query.peek(), ...change };
    this.restart(TYPING_MS);
  }

  /** The text stays for the next time. */
  hide(): void {
    this.open.value = false;
    this.stop();
    this.host.remember({ text: "", regex: false, ignoreCase: true });
    this.host.changed();
  }

  close(): void {
    this.stop();
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.handle?.cancel();
    this.handle = null;
    this.turn++;
    this.count.value = null;
    this.current.value = null;
    this.note.value = "";
    this.busy.value = false;
  }

  private restart(delay: number): void {
    this.stop();
    this.host.changed();
    if (delay === 0) this.ask();
    else this.timer = setTimeout(() => this.ask(), delay);
  }

  /** Asks the server for what is typed now. */
  private ask(): SearchHandle | null {
    clearTimeout(this.timer);
    this.timer = undefined;
    const query = this.query.peek();
    if (query.text === "") {
      this.host.remember(query);
      return null;
    }
    this.host.remember(query);
    this.handle = this.host.source().search(query);
    this.handle.onCount((count) => { this.count.value = count; });
    return this.handle;
  }

  async step(forward: boolean): Promise<void> {
    if (this.query.peek().text === "") return;
    if (!this.open.peek()) {
      this.open.value = true;
      this.restart(0);
    }
    const handle = this.handle ?? this.ask();
    if (!handle) return;
    const turn = ++this.turn;
    this.busy.value = true;
    this.note.value = "";
    try {
      const found = await this.find(handle, forward);
      if (turn !== this.turn) return;
      if (found) this.take(found);
      else this.note.value = "no match";
    } catch (error) {
      if (turn === this.turn) this.note.value = error instanceof Error ? error.message : String(error);
    } finally {
      if (turn === this.turn) this.busy.value = false;
    }
  }

  private take(match: Match): void {
    this.current.value = match;
    this.host.show(match);
    this.host.changed();
  }

  /** The last match, as long as it is in sight. */
  private standing(): Match | null {
    const match = this.current.peek();
    const { top, bottom } = this.host.sight();
    return match && match.lastSeq >= Math.floor(top) && match.seq <= Math.ceil(bottom) ? match : null;
  }

  private async find(handle: SearchHandle, forward: boolean): Promise<Match | null> {
    const { top } = this.host.sight();
    const current = this.standing();
    if (!forward) {
      const found = await handle.previous(current ? current.seq : Math.ceil(top));
      return found ?? this.anew(handle.previous(this.host.lastSeq() + 1), "from the end");
    }
    let found = await handle.next(current ? current.seq : Math.max(0, Math.floor(top) - 1));
    // A line in parts ends behind others: it may be found again from its own beginning.
    if (found && current && found.seq === current.seq) found = await handle.next(current.lastSeq);
    return found ?? this.anew(handle.next(0), "from the start");
  }

  private async anew(search: Promise<Match | null>, note: string): Promise<Match | null> {
    const found = await search;
    if (found) this.note.value = note;
    return found;
  }
}

/** What the search bar says of the count. */
export function searchText(count: Count | null, lastSeq: number): string {
  if (!count) return "";
  if (count.error !== undefined) return count.error;
  const number = (n: number): string => n.toLocaleString("en-US");
  const matches = count.matches === 1 ? "1 match" : `${number(count.matches)} matches`;
  const total = `${matches} in ${count.lines === 1 ? "1 line" : `${number(count.lines)} lines`}`;
  if (count.done) return count.matches === 0 ? "no match" : total;
  const share = lastSeq > 0 ? Math.min(99, Math.floor((count.searchedTo / lastSeq) * 100)) : 0;
  return `${total}, ${share} % searched …`;
}
