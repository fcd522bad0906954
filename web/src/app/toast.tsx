// Short messages at the edge of the page, read out by screen readers.
import { signal } from "@preact/signals";

export interface Toast {
  id: number;
  text: string;
  kind: "info" | "error";
}

const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Errors stay until they are closed, the rest for six seconds. */
export function toast(text: string, kind: Toast["kind"] = "info"): void {
  const id = ++lastId;
  toasts.value = [...toasts.value.slice(-3), { id, text, kind }];
  if (kind === "info") setTimeout(() => dismiss(id), 6000);
}

/** Says what a failed call says. */
export function toastError(error: unknown): void {
  toast(error instanceof Error ? error.message : String(error), "error");
}

export function Toasts() {
  return (
    <div class="toasts" aria-live="polite">
      {toasts.value.map((item) => (
        <div key={item.id} class={`toast toast-${item.kind}`} data-testid="toast" role={item.kind === "error" ? "alert" : "status"}>
          <span>{item.text}</span>
          <button type="button" class="toast-close" aria-label="Dismiss" onClick={() => dismiss(item.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
