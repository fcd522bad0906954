// The address bar as a signal, by the History API. Links are plain <a href="/…">: a click on one that
// is the viewer's own is taken here, anything else (other origins, new tabs, downloads) is the browser's.
import { computed, signal } from "@preact/signals";
import { canonical, matchRoute } from "./routes";

export interface Address {
  path: string;
  search: string;
  hash: string;
}

const read = (): Address => ({ path: location.pathname, search: location.search, hash: location.hash });

export const address = signal<Address>({ path: "/", search: "", hash: "" });
export const route = computed(() => matchRoute(address.value.path, address.value.hash));
export const query = computed(() => new URLSearchParams(address.value.search));

function refresh(): void {
  const now = read();
  const better = canonical(now.path, new URLSearchParams(now.search));
  if (better !== null) {
    history.replaceState(null, "", better + now.hash);
    return refresh();
  }
  const old = address.peek();
  if (old.path !== now.path || old.search !== now.search || old.hash !== now.hash) address.value = now;
}

/** Goes to a path of the viewer ("/executions/…?q=…#L120"). */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  const from = address.peek().path;
  if (options.replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  refresh();
  if (address.peek().path !== from) scrollTo(0, 0);
}

/** Changes parameters of the query in place; null or "" removes one. */
export function setQuery(changes: Record<string, string | null>, options: { push?: boolean } = {}): void {
  const next = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  navigate(location.pathname + (text ? `?${text}` : "") + location.hash, { replace: !options.push });
}

/** Changes the fragment in place, without scrolling or a new entry in the history. */
export function setHash(hash: string): void {
  navigate(location.pathname + location.search + hash, { replace: true });
}

/** Takes the fragment out of the address bar and the history; the page that is shown stays. */
export function dropFragment(): void {
  history.replaceState(null, "", location.pathname + location.search);
}

function isPlainClick(event: MouseEvent): boolean {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}

function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || !isPlainClick(event) || !(event.target instanceof Element)) return;
  const link = event.target.closest("a");
  if (!link || !link.href || link.hasAttribute("download") || (link.target && link.target !== "_self")) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || matchRoute(url.pathname, url.hash).page.name === "not-found") return;
  event.preventDefault();
  navigate(url.pathname + url.search + url.hash);
}

export function startRouter(): () => void {
  addEventListener("popstate", refresh);
  addEventListener("hashchange", refresh);
  document.addEventListener("click", onClick);
  refresh();
  return () => {
    removeEventListener("popstate", refresh);
    removeEventListener("hashchange", refresh);
    document.removeEventListener("click", onClick);
  };
}
