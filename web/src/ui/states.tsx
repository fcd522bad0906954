// Nothing there, not there yet, and failed.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { Button } from "./button";

/** Shown only when it takes longer than 300 ms: what is quick does not flicker. */
export function Spinner({ label = "Loading …" }: { label?: string }) {
  const [shown, show] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => show(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="spinner" role="status">
      {shown ? (
        <>
          <span class="spinner-wheel" aria-hidden="true" />
          <span>{label}</span>
        </>
      ) : null}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty" data-testid="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

export function ErrorBox({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const text = error instanceof Error ? error.message : String(error);
  const requestId = error instanceof ApiError ? error.requestId : null;
  const after = error instanceof ApiError ? error.retryAfter : null;
  return (
    <div class="error-box" role="alert" data-testid="error">
      <p>{text}</p>
      {after === null ? null : <p>Try again in {after} s.</p>}
      {requestId ? <p class="muted">request {requestId}</p> : null}
      {onRetry ? <Button onClick={onRetry}>Try again</Button> : null}
    </div>
  );
}
