// Pages come as files of their own: who watches a log does not wait for the audit.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ErrorBox, Spinner } from "../ui/states";
import type { Page, PageProps } from "./routes";

const loaded = new Map<string, ComponentType<PageProps>>();

export function LazyPage({ page, ...props }: PageProps & { page: Page }) {
  const [turn, setTurn] = useState(0);
  const [failed, setFailed] = useState<unknown>(null);
  const Component = loaded.get(page.name);
  useEffect(() => {
    if (loaded.has(page.name)) return undefined;
    let current = true;
    setFailed(null);
    page.load().then(
      (module) => {
        loaded.set(page.name, module.default);
        if (current) setTurn((old) => old + 1);
      },
      (error: unknown) => {
        if (current) setFailed(error);
      },
    );
    return () => {
      current = false;
    };
  }, [page, turn]);
  if (Component) return <Component {...props} />;
  // A new release has other files: the page as a whole is loaded anew.
  if (failed) return <ErrorBox error="This part of the viewer could not be loaded." onRetry={() => location.reload()} />;
  return <Spinner />;
}
