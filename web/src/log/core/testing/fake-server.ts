/**
 * The server as docs/protocol.md describes it, for one execution, in memory: tickets, tailgate.v1,
 * pages and a plain search.
 */
import type { Net, SocketLike } from "../net";
import type { RawRecord } from "../page";
import type { Clock } from "./clock";
import type { Random } from "./random";

export const EXECUTION = "0123456789abcdef0123456789abcdef";
export const KEY = "tg_secret";
const NAMES = { o: "stdout", e: "stderr", s: "system" } as const;

class FakeSocket implements SocketLike {
  onopen: ((event: unknown) => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  position = -1;
  isOpen = true;
  isSubscribed = false;
  isLiveTold = false;

  constructor(private readonly server: FakeServer) {}

  say(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  send(data: string): void {
    if (this.isOpen) this.server.heard(this, JSON.parse(data) as Record<string, unknown>);
  }
  close(): void {
    this.isOpen = this.isSubscribed = false;
  }
  /** The server's end of it. */
  cut(code: number, reason = ""): void {
    if (!this.isOpen) return;
    this.close();
    this.onclose?.({ code, reason });
  }
}

export class FakeServer implements Net {
  records: RawRecord[] = [];
  removedTo = 0;
  isEnded = false;
  isDown = false;
  key = KEY;
  /** Answers this instead of pages, so many times. */
  failing: { status: number; times: number; of?: string; headers?: Record<string, string> } | undefined;
  /** Lines that are looked at for one page of a search. */
  searchLines = 10;
  readonly requests: string[] = [];
  readonly addresses: string[] = [];
  readonly sockets: FakeSocket[] = [];
  aborted = 0;
  private tickets = new Set<string>();

  constructor(
    readonly clock: Clock,
    private readonly chance: Random,
    /** Lines of one message at most. */
    private readonly messageLines = 50,
  ) {}

  now = (): number => this.clock.now;
  random = (): number => this.chance.next();
  after = (ms: number, callback: () => void): (() => void) => this.clock.after(ms, callback);

  get open(): FakeSocket[] {
    return this.sockets.filter((socket) => socket.isOpen);
  }

  append(...records: RawRecord[]): void {
    for (const record of records) this.records.push(record);
    this.pump();
  }

  end(): void {
    this.isEnded = true;
    this.pump();
  }

  cutAll(code: number): void {
    for (const socket of this.open) socket.cut(code);
  }

  // ---- tailgate.v1 ----

  socket = (path: string): SocketLike => {
    this.addresses.push(path);
    const socket = new FakeSocket(this);
    this.sockets.push(socket);
    const ticket = new URL(path, "http://a").searchParams.get("ticket") ?? "";
    this.clock.after(1, () => {
      if (!socket.isOpen) return;
      if (this.isDown) socket.cut(1006);
      else if (!this.tickets.delete(ticket)) socket.cut(4401);
      else socket.say({ type: "hello", version: "1", user: "a@example.org", session: "1" });
    });
    return socket;
  };

  heard(socket: FakeSocket, message: Record<string, unknown>): void {
    if (message["type"] === "unsubscribe") {
      socket.isSubscribed = false;
      return;
    }
    const last = this.records.length;
    const { after, tail } = message as { after?: number; tail?: number };
    socket.position = tail === undefined ? (after ?? 0) : Math.max(0, last - tail);
    socket.isSubscribed = true;
    socket.isLiveTold = false;
    const status = this.isEnded ? "SUCCEEDED" : "RUNNING";
    socket.say({ type: "subscribed", execution_id: EXECUTION, status, last_seq: last });
    this.clock.after(1, () => this.pump());
  }

  /** Gives every subscriber what it has not had yet. */
  private pump(): void {
    for (const socket of this.open) this.pumpOne(socket);
  }

  private pumpOne(socket: FakeSocket): void {
    while (socket.isSubscribed && socket.position < this.records.length) {
      if (socket.position < this.removedTo) {
        const gap = { from: socket.position + 1, to: this.removedTo, reason: "retention" };
        socket.position = this.removedTo;
        socket.say({ type: "gap", execution_id: EXECUTION, ...gap });
        continue;
      }
      const lines = this.records.slice(socket.position, socket.position + 1 + this.chance.below(this.messageLines));
      const first = socket.position + 1;
      socket.position += lines.length;
      socket.say({ type: "logs", execution_id: EXECUTION, first, lines });
    }
    if (!socket.isSubscribed) return;
    if (!socket.isLiveTold) {
      socket.isLiveTold = true;
      socket.say({ type: "live", execution_id: EXECUTION, seq: socket.position });
    }
    if (!this.isEnded) return;
    const end = { last_seq: this.records.length, status: "SUCCEEDED", exit_code: 0 };
    socket.say({ type: "end", execution_id: EXECUTION, ...end });
  }

  // ---- HTTP ----

  fetch = async (path: string, init: RequestInit): Promise<Response> => {
    this.requests.push(path);
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        this.aborted++;
        stop();
        reject(new DOMException("aborted", "AbortError"));
      };
      const stop = this.clock.after(1 + this.chance.below(20), () => {
        init.signal?.removeEventListener("abort", abort);
        resolve();
      });
      init.signal?.addEventListener("abort", abort);
    });
    if (this.isDown) throw new TypeError("connection refused");
    if (new Headers(init.headers).get("X-API-Key") !== this.key) {
      return answer(401, { code: "INVALID_API_KEY", details: "unknown key" });
    }
    return this.respond(new URL(path, "http://a"));
  };

  private respond(url: URL): Response {
    if (url.pathname === "/api/v1/tickets") {
      const ticket = `t${this.chance.below(1e9)}`;
      this.tickets.add(ticket);
      return answer(201, { ticket });
    }
    if (this.failing && url.search.includes(this.failing.of ?? "") && this.failing.times-- > 0) {
      return answer(this.failing.status, { code: "X", details: "not now" }, this.failing.headers);
    }
    if (url.pathname.endsWith("/status")) return answer(200, { last_seq: this.records.length });
    const query = url.searchParams;
    if (query.has("q") || query.has("regex")) return this.find(query);
    const after = Math.max(Number(query.get("after")), this.removedTo);
    const limit = Number(query.get("after")) + Number(query.get("limit")) - after;
    const events = this.records.slice(after, after + Math.max(0, limit)).map((_, i) => this.event(after + 1 + i));
    return answer(200, { events, last_seq: this.records.length });
  }

  private event(seq: number): Record<string, unknown> {
    const [timestamp, stream, message, part] = this.records[seq - 1] ?? [0, "o", ""];
    const event_id = `${EXECUTION}-${String(seq).padStart(20, "0")}`;
    const event = { event_id, timestamp, message, stream: NAMES[stream] };
    return part === 1 ? { ...event, part: true } : event;
  }

  private find(query: URLSearchParams): Response {
    const pattern = query.get("regex") ?? (query.get("q") ?? "").replace(/[^\w\s]/g, "\\$&");
    // eslint-disable-next-line no-control-regex
    const regex = new RegExp(pattern, query.has("ignore_case") ? "gi" : "g");
    const step = query.has("before") ? -1 : 1;
    const begin = Number(query.get(step === 1 ? "after" : "before"));
    let at = Number(query.get("cursor") ?? (step === -1 ? Math.min(begin, this.records.length + 1) : begin)) + step;
    const events: unknown[] = [];
    const sum = { lines: 0, matches: 0 };
    const isInside = (): boolean => at >= 1 && at <= this.records.length;
    const limit = Number(query.get("limit"));
    for (let n = 0; n < this.searchLines && isInside() && events.length < limit; n++) {
      const spans = [...(this.records[at - 1]?.[2] ?? "").matchAll(regex)].map((m) => [m.index, m.index + m[0].length]);
      if (spans.length > 0) {
        sum.lines++;
        sum.matches += spans.length;
        if (!query.has("count")) events.push({ ...this.event(at), seq: at, last_seq: at, spans });
      }
      at += step;
    }
    const more = isInside();
    return answer(200, { events, ...sum, searched_to: at - step, more, cursor: String(at - step) });
  }
}

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}
