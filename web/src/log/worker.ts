/** The log's worker: one session, spoken to in messages. */
import { realNet } from "./core/net";
import { Session } from "./core/session";
import type { Command, Report } from "./core/wire";

interface WorkerScope {
  postMessage(report: Report): void;
  onmessage: ((event: MessageEvent<Command>) => void) | null;
  addEventListener(type: "online", listener: () => void): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;
const keys = new Map<number, (key: string | null) => void>();
let lastKey = 0;
let session: Session | undefined;

/** The page has the key; the worker asks for it. */
function credentials(): Promise<string> {
  const id = ++lastKey;
  return new Promise((resolve, reject) => {
    keys.set(id, (key) => (key === null ? reject(new Error("there is no API key")) : resolve(key)));
    scope.postMessage({ kind: "key", id });
  });
}

function open(execution: string): void {
  session = new Session(realNet, execution, credentials, (report) => scope.postMessage(report));
  session.start();
}

scope.onmessage = ({ data }) => {
  if (data.kind === "open") open(data.execution);
  else if (data.kind === "key") {
    keys.get(data.id)?.(data.key);
    keys.delete(data.id);
  } else session?.command(data);
  if (data.kind === "close") scope.close();
};
scope.addEventListener("online", () => session?.hurry());
