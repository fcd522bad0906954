/**
 * The live stream of one execution (tailgate.v1), come what may:
 *
 *   connecting ─▶ catching-up ─▶ live ─▶ ended
 *       ▲              └──────────┴─▶ reconnecting ─▶ connecting …
 *       └─ paused (no subscription)          refused (nothing more to try)
 *
 * The key goes into a header of the request for a ticket; the socket's address has only the ticket.
 * What was seen is not asked for again: a subscription begins behind the last line seen, or with the
 * last lines when very many came meanwhile (the others are fetched where they are looked at).
 */
import type { LinkState, Status } from "../model";
import { type Api, ApiFailure, asArray, asNumber, asObject, asText, type Json, messageOf } from "./api";
import { type Backoff, backoff } from "./backoff";
import type { Net, SocketLike } from "./net";
import type { RawRecord } from "./page";
import { statusOf } from "./status";

/** Lines of the end that are streamed to a new reader, and how far behind a reader still reads on. */
export const TAIL = 2000;
export const FAR_BEHIND = 20_000;
/** A connection that says nothing may be dead without knowing it: then the server is asked. */
const QUIET_MS = 30_000;
/** From the request for a ticket to the server's hello. */
const CONNECT_MS = 20_000;
/** While paused: how often to look how many lines wait. */
const PAUSED_LOOK_MS = 3000;

export interface ConnectionEvents {
  link(state: LinkState): void;
  /** Consecutive lines; some may have come before. */
  lines(first: number, records: readonly RawRecord[], isLive: boolean): void;
  /** The log reaches to `last`; lines from `from` on are coming, those before are not. */
  extent(last: number, from: number): void;
  gap(from: number, to: number): void;
  status(status: Status): void;
  ended(last: number): void;
  error(message: string): void;
}

const TERMINAL = new Set(["SUCCEEDED", "FAILED", "STOPPED"]);

/** Codes that another attempt may mend. */
const PASSING = new Set([
  "DATABASE_ERROR",
  "SERVICE_UNAVAILABLE",
  "INTERNAL_ERROR",
  "REQUEST_TIMEOUT",
  "LIMIT_EXCEEDED",
]);

export class Connection {
  private socket: SocketLike | undefined;
  private readonly pauseBetween: Backoff;
  private stopTimer: (() => void) | undefined;
  /** Counts attempts: what belongs to an earlier one is ignored. */
  private round = 0;
  /** Last number seen, and the one told by the server when it was subscribed to. */
  private seen = 0;
  private target = 0;
  private isLive = false;
  /** Too far behind: what was subscribed to first may still be coming. */
  private isJumping = false;
  /** The execution was over when it was subscribed to. */
  private isOver = false;
  private isEnded = false;
  private isRefused = false;
  private isPaused = false;
  private isVisible = true;
  private heardAt = 0;
  private version = -1;

  constructor(
    private readonly net: Net,
    private readonly api: Api,
    private readonly execution: string,
    private readonly on: ConnectionEvents,
  ) {
    this.pauseBetween = backoff(() => net.random());
  }

  start(): void {
    if (this.isEnded) this.on.link({ kind: "ended" });
    else if (!this.isRefused && this.isVisible && !this.isPaused) void this.connect();
  }

  /** No connection, no timers. */
  stop(): void {
    this.round++;
    this.stopTimer?.();
    this.stopTimer = undefined;
    const { socket } = this;
    this.socket = undefined;
    this.isLive = this.isJumping = false;
    if (!socket) return;
    socket.onmessage = socket.onclose = socket.onopen = null;
    socket.close(1000);
  }

  setVisible(on: boolean): void {
    if (on === this.isVisible) return;
    this.isVisible = on;
    if (!on) this.stop();
    else if (this.isPaused) this.tellPaused();
    else this.start();
  }

  setPaused(on: boolean): void {
    if (on === this.isPaused) return;
    this.isPaused = on;
    if (!this.isVisible || this.isEnded || this.isRefused) return;
    if (on) {
      this.stop();
      this.tellPaused();
    } else {
      this.stop();
      this.start();
    }
  }

  /** The network is back: no use in waiting on. */
  hurry(): void {
    if (this.socket || !this.stopTimer || this.isPaused || !this.isVisible) return;
    this.stop();
    this.start();
  }

  // ---- making a connection ----

  private async connect(): Promise<void> {
    const round = ++this.round;
    this.on.link({ kind: "connecting" });
    this.stopTimer?.();
    this.stopTimer = this.net.after(CONNECT_MS, () => this.retry("the server did not answer in time"));
    try {
      const { ticket } = await this.api.request("POST", "/tickets");
      if (round === this.round) this.open(round, asText(ticket) ?? "");
    } catch (error) {
      if (round !== this.round) return;
      if (error instanceof ApiFailure && !error.isPassing) this.refuse(error.message);
      else this.retry(messageOf(error), error instanceof ApiFailure ? error.retryAfterMs : undefined);
    }
  }

  private open(round: number, ticket: string): void {
    const socket = this.net.socket(`/api/v1/ws?ticket=${encodeURIComponent(ticket)}`, "tailgate.v1");
    this.socket = socket;
    socket.onmessage = (event) => {
      if (round === this.round && typeof event.data === "string") this.receive(event.data);
    };
    socket.onclose = (event) => {
      if (round === this.round) this.closed(event.code, event.reason);
    };
  }

  private closed(code: number, reason: string): void {
    this.socket = undefined;
    this.isLive = false;
    // The next ticket tells whether it was the ticket or the key that was refused.
    if (code === 4401) this.retry("the authentication expired");
    else if (code === 1001) this.retry("the server is leaving");
    else this.retry(reason || "the connection was lost");
  }

  private retry(reason: string, atLeastMs = 0): void {
    this.stop();
    const attempt = this.pauseBetween.attempt + 1;
    const wait = Math.max(atLeastMs, this.pauseBetween.next());
    this.on.link({ kind: "reconnecting", at: this.net.now() + wait, attempt, reason });
    this.stopTimer = this.net.after(wait, () => {
      this.stopTimer = undefined;
      this.start();
    });
  }

  private refuse(reason: string): void {
    this.isRefused = true;
    this.stop();
    this.on.link({ kind: "refused", reason });
  }

  // ---- messages ----

  private receive(data: string): void {
    this.heardAt = this.net.now();
    let message: Json;
    try {
      message = asObject(JSON.parse(data));
    } catch {
      this.retry("the server said something that is no JSON");
      return;
    }
    const id = asText(message["execution_id"]);
    if (id !== undefined && id !== this.execution) return;
    this.handle(message);
  }

  private handle(message: Json): void {
    switch (message["type"]) {
      case "hello":
        this.subscribe(this.seen > 0 ? { after: this.seen } : { tail: TAIL });
        this.watch();
        break;
      case "subscribed":
        this.subscribed(asNumber(message["last_seq"]) ?? 0, asText(message["status"]) ?? "");
        break;
      case "logs":
        this.lines(asNumber(message["first"]) ?? 0, asArray(message["lines"]) as readonly RawRecord[]);
        break;
      case "live":
        this.isLive = true;
        // Of an execution that has ended the end follows at once.
        if (!this.isOver) this.on.link({ kind: "live" });
        break;
      case "gap":
        this.gap(asNumber(message["from"]) ?? 0, asNumber(message["to"]) ?? -1);
        break;
      case "status":
        this.status(message);
        break;
      case "end":
        this.end(message);
        break;
      case "error":
        this.failed(message);
        break;
    }
  }

  private subscribe(from: { after: number } | { tail: number }): void {
    const message = { type: "subscribe", execution_id: this.execution, ...from, follow: true };
    this.socket?.send(JSON.stringify(message));
  }

  private subscribed(last: number, status: string): void {
    this.pauseBetween.reset();
    this.target = last;
    this.isOver = TERMINAL.has(status);
    if (this.seen > 0 && !this.isJumping && last - this.seen > FAR_BEHIND) {
      this.isJumping = true;
      this.socket?.send(JSON.stringify({ type: "unsubscribe", execution_id: this.execution }));
      this.subscribe({ tail: TAIL });
      return;
    }
    const isTail = this.seen === 0 || this.isJumping;
    const from = isTail ? Math.max(1, last - TAIL + 1) : this.seen + 1;
    this.isJumping = false;
    this.seen = from - 1;
    this.on.extent(last, from);
    if (this.version < 0) this.on.status(statusOf({ status }));
    if (!this.isLive) this.on.link({ kind: "catching-up", behind: Math.max(0, last - this.seen) });
  }

  private lines(first: number, records: readonly RawRecord[]): void {
    const last = first + records.length - 1;
    if (first < 1 || records.length === 0) return;
    this.on.lines(first, records, this.isLive);
    // What an earlier subscription had on its way; the lines between are asked for as pages.
    if (last <= this.seen || this.isJumping) return;
    this.seen = last;
    if (!this.isLive) this.on.link({ kind: "catching-up", behind: Math.max(0, this.target - last) });
  }

  private gap(from: number, to: number): void {
    if (from < 1 || to < from) return;
    if (!this.isJumping) this.seen = Math.max(this.seen, to);
    this.on.gap(from, to);
  }

  private status(message: Json): void {
    const version = asNumber(message["version"]) ?? 0;
    if (version < this.version) return;
    this.version = version;
    this.on.status(statusOf(message));
  }

  private end(message: Json): void {
    this.isEnded = true;
    this.stop();
    if (this.version < 0) this.on.status(statusOf(message));
    this.on.ended(asNumber(message["last_seq"]) ?? this.seen);
    this.on.link({ kind: "ended" });
  }

  private failed(message: Json): void {
    const code = asText(message["code"]) ?? "";
    const words = asText(message["details"]) ?? code;
    // Those about the key close the socket with 4401, and a new ticket tells.
    if (code === "UNAUTHORIZED" || code === "INVALID_API_KEY" || code === "API_KEY_REVOKED") return;
    if (PASSING.has(code)) this.retry(words);
    else if (message["execution_id"] !== undefined || message["fatal"] === true) this.refuse(words);
    else this.on.error(words);
  }

  // ---- doubts ----

  /** Asks the server, when the socket was quiet, whether there is more than was heard of. */
  private watch(): void {
    const round = this.round;
    this.stopTimer?.();
    this.stopTimer = this.net.after(QUIET_MS, () => {
      if (this.net.now() - this.heardAt < QUIET_MS - 1000) this.watch();
      else void this.compare(round);
    });
  }

  private async compare(round: number): Promise<void> {
    const seen = this.seen;
    const last = await this.lastSeq();
    if (round !== this.round) return;
    if (last === undefined || (last > seen && this.seen === seen)) this.retry("the connection went quiet");
    else this.watch();
  }

  private async lastSeq(): Promise<number | undefined> {
    try {
      return asNumber((await this.api.request("GET", `/executions/${this.execution}/status`))["last_seq"]);
    } catch {
      return undefined;
    }
  }

  private tellPaused(): void {
    const round = this.round;
    this.on.link({ kind: "paused", behind: Math.max(0, this.target - this.seen) });
    this.stopTimer = this.net.after(PAUSED_LOOK_MS, () => {
      void this.lastSeq().then((last) => {
        if (round !== this.round) return;
        this.target = Math.max(this.target, last ?? 0);
        this.tellPaused();
      });
    });
  }
}
