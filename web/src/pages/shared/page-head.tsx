import type { ComponentChildren } from "preact";
import "../../style/pages.css";

/** The page's title and what can be done on it. */
export function PageHead({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="page-head">
      <h1>{title}</h1>
      <div class="page-actions">{children}</div>
    </div>
  );
}
