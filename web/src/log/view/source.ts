/** What a view draws from: one log's client, or several merged. */
import type { LogClient } from "../client";

export type LogHandle = Pick<LogClient, "want" | "setFold" | "foldAll" | "pause" | "visible" | "expand" | "text" | "search" | "close">;
