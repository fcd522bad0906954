import type { ComponentChildren } from "preact";
import { ErrorBox, Spinner, type Loaded } from "../../ui";

/** What was loaded, or why there is nothing: loading, failed, empty. Old rows stay while it loads anew. */
export function Listing<T>(props: { loaded: Loaded<T[]>; empty: ComponentChildren; children: (rows: T[]) => ComponentChildren }) {
  const { data, error, reload } = props.loaded;
  return (
    <>
      {error ? <ErrorBox error={error} onRetry={reload} /> : null}
      {!data && !error ? <Spinner /> : null}
      {data ? data.length > 0 ? props.children(data) : props.empty : null}
    </>
  );
}
