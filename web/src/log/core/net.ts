/** The outside world as the log's parts see it: requests, sockets, clock. Tests have their own. */

export interface SocketLike {
  send(data: string): void;
  close(code?: number): void;
  onopen: ((event: unknown) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
}

export interface Net {
  fetch(path: string, init: RequestInit): Promise<Response>;
  /** path: with the ticket, never with a key. */
  socket(path: string, protocol: string): SocketLike;
  now(): number;
  random(): number;
  /** Calls back once; returns how to call it off. */
  after(ms: number, callback: () => void): () => void;
}

export const realNet: Net = {
  fetch: (path, init) => fetch(path, init),
  socket: (path, protocol) =>
    new WebSocket(location.origin.replace(/^http/, "ws") + path, protocol) as unknown as SocketLike,
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
