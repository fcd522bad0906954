// The live list over tailgate.v1: a snapshot, then each change. A lost connection resumes by the last
// cursor after a jittered wait; a list that nobody sees has no connection and no timer.
//
//   start() → connecting → live → (lost) reconnecting → connecting → …
//                                 refused: only retryNow() helps
import { ApiError, socketUrl, takeTicket } from "../api/client";
import type { Execution } from "../api/executions";
import { backoff, type Backoff } from "../log/core/backoff";
import { Rows, type ListMessage } from "./rows";

export type LiveState =
  | { kind: "connecting" }
  | { kind: "live" }
  /** at: ms since epoch of the next attempt. */
  | { kind: "reconnecting"; at: number; attempt: number; reason: string }
  | { kind: "paused" }
  | { kind: "refused"; reason: string };

export interface Socket {
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export interface LiveListOptions {
  onRows: (rows: Execution[]) => void;
  onState: (state: LiveState) => void;
  ticket?: () => Promise<string>;
  open?: (url: string) => Socket;
  retry?: Backoff;
}

/** Nothing for so long while connecting: the network swallows it. */
const CONNECT_TIMEOUT_MS = 15_000;
/** Changes that come at once are shown at once. */
const SHOW_AFTER_MS = 50;

interface ServerMessage {
  type: string;
  code?: string;
  details?: string;
  fatal?: boolean;
}

const openSocket = (url: string): Socket => new WebSocket(url, "tailgate.v1");

function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 408 && error.status !== 429;
}

export class LiveList {
  private readonly rows = new Rows();
  private readonly options: Required<LiveListOptions>;
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private showing: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private seen = true;
  /** Counts attempts, so that an answer to an earlier one is known as such. */
  private turn = 0;
  /** What the server said last was wrong. */
  private problem = "";

  constructor(options: LiveListOptions) {
    this.options = { ticket: takeTicket, open: openSocket, retry: backoff(), ...options };
  }

  start(): void {
    this.running = true;
    this.update();
  }

  stop(): void {
    this.running = false;
    this.disconnect();
    clearTimeout(this.showing);
    this.showing = undefined;
  }

  /** A tab in the background costs nothing; it goes on by the cursor. */
  visible(on: boolean): void {
    if (this.seen === on) return;
    this.seen = on;
    this.update();
  }

  /** Does not wait for the next attempt, and tries again after a refusal. */
  retryNow(): void {
    this.running = true;
    this.disconnect();
    this.update();
  }

  private update(): void {
    if (!this.running) return;
    if (!this.seen) {
      this.disconnect();
      this.options.onState({ kind: "paused" });
    } else if (!this.socket && this.timer === undefined) {
      void this.connect();
    }
  }

  private disconnect(): void {
    this.turn++;
    clearTimeout(this.timer);
    this.timer = undefined;
    const socket = this.socket;
    this.socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(1000);
    }
    this.rows.interrupt();
  }

  private async connect(): Promise<void> {
    const turn = ++this.turn;
    this.problem = "";
    this.options.onState({ kind: "connecting" });
    this.timer = setTimeout(() => this.lost("no answer"), CONNECT_TIMEOUT_MS);
    try {
      const ticket = await this.options.ticket();
      if (turn === this.turn) this.attach(this.options.open(socketUrl(ticket)));
    } catch (error) {
      if (turn !== this.turn) return;
      const reason = error instanceof Error ? error.message : String(error);
      if (isRefusal(error)) this.refuse(reason);
      else this.lost(reason);
    }
  }

  private attach(socket: Socket): void {
    this.socket = socket;
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => this.closed(event);
  }

  private receive(data: unknown): void {
    if (typeof data !== "string") return;
    const message = JSON.parse(data) as ServerMessage;
    if (message.type === "hello") this.subscribe();
    else if (message.type === "executions") this.take(message as unknown as ListMessage);
    else if (message.type === "error") this.told(message);
  }

  private subscribe(): void {
    const since = this.rows.cursor;
    this.socket?.send(JSON.stringify({ type: "subscribe", executions: true, ...(since === null ? {} : { since }) }));
  }

  private take(message: ListMessage): void {
    if (this.rows.apply(message)) this.show();
    // A subscription that resumes is answered too when nothing changed.
    if (!message.snapshot || !message.more) this.arrived();
  }

  private arrived(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.options.retry.reset();
    this.options.onState({ kind: "live" });
  }

  private show(): void {
    this.showing ??= setTimeout(() => {
      this.showing = undefined;
      this.options.onRows(this.rows.list());
    }, SHOW_AFTER_MS);
  }

  private told(message: ServerMessage): void {
    this.problem = message.details || message.code || "refused";
    // A cursor that this server does not know: the list anew.
    if (message.code === "INVALID_REQUEST") this.rows.cursor = null;
    if (message.code === "FORBIDDEN") this.refuse(this.problem);
    else if (!message.fatal) this.lost(this.problem);
  }

  private closed(event: CloseEvent): void {
    this.socket = null;
    const reason = this.problem || event.reason || (event.code === 1001 ? "the server is leaving" : "the connection was lost");
    if (event.code === 1008 && !this.rows.complete) this.refuse(reason);
    else this.lost(reason);
  }

  private refuse(reason: string): void {
    this.running = false;
    this.disconnect();
    this.options.onState({ kind: "refused", reason });
  }

  private lost(reason: string): void {
    this.disconnect();
    const wait = this.options.retry.next();
    this.options.onState({ kind: "reconnecting", at: Date.now() + wait, attempt: this.options.retry.attempt, reason });
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.connect();
    }, wait);
  }
}
