/** Requests to the API with the key in a header: what failed is an ApiFailure with the server's words. */
import type { Net } from "./net";

export class ApiFailure extends Error {
  override name = "ApiFailure";
  constructor(
    /** HTTP status; 0: no answer. */
    readonly status: number,
    readonly code: string,
    message: string,
    /** ms that the server asks to wait. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }

  /** Worth another try. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export type Json = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}
export const asText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
export const asNumber = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
export const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/** An answer this long is cut off: the caller asks for less. */
const BODY_MAX = 24 << 20;

export class Api {
  private key: Promise<string> | undefined;

  constructor(
    private readonly net: Net,
    private readonly credentials: () => Promise<string>,
  ) {}

  /** The answer's JSON. Another key is asked for once when this one is refused. */
  async request(method: string, path: string, signal?: AbortSignal): Promise<Json> {
    const had = this.key !== undefined;
    try {
      return await this.once(method, path, signal);
    } catch (error) {
      if (!had || !(error instanceof ApiFailure) || error.status !== 401) throw error;
      this.key = undefined;
      return this.once(method, path, signal);
    }
  }

  /** Asked for again when there was none. */
  private ask(): Promise<string> {
    const key = this.credentials();
    key.catch(() => (this.key = undefined));
    return key;
  }

  private async once(method: string, path: string, signal: AbortSignal | undefined): Promise<Json> {
    const key = await (this.key ??= this.ask());
    let response: Response;
    try {
      response = await this.net.fetch(`/api/v1${path}`, {
        method,
        headers: { "X-API-Key": key },
        cache: "no-store",
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new ApiFailure(0, "UNREACHABLE", "the server cannot be reached");
    }
    if (!response.ok) throw await failureOf(response);
    return asObject(JSON.parse(await readBody(response)));
  }
}

async function readBody(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return response.text();
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return pieces.join("") + decoder.decode();
      size += value.byteLength;
      if (size > BODY_MAX) throw new ApiFailure(413, "PAYLOAD_TOO_LARGE", "the answer is too long");
      pieces.push(decoder.decode(value, { stream: true }));
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    if (error instanceof ApiFailure || isAbort(error)) throw error;
    throw new ApiFailure(0, "UNREACHABLE", "the answer was cut off");
  }
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const body = asObject(await response.json().catch(() => undefined));
  const words = asText(body["details"]) || asText(body["error"]) || `the server answered ${response.status}`;
  const after = Number(response.headers.get("Retry-After") ?? "");
  const wait = after > 0 ? Math.min(after, 60) * 1000 : undefined;
  return new ApiFailure(response.status, asText(body["code"]) ?? "", words, wait);
}
