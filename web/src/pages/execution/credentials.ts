import { apiKey } from "../../api/client";

/** The key that a log's worker connects with. */
export const credentials = (): Promise<string> => Promise.resolve(apiKey.peek() ?? "");
