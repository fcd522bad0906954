import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { address, dropFragment, navigate, query, route, setHash, setQuery, startRouter } from "./router";
import { canonical, matchRoute, pages } from "./routes";

const A = "0000512b00000001aabbccddeeff0011";
const B = "0000512b00000002aabbccddeeff0011";

let stop: () => void;

beforeEach(() => {
  document.body.replaceChildren();
  history.replaceState(null, "", "/executions");
  vi.stubGlobal("scrollTo", () => undefined);
  stop = startRouter();
});

afterEach(() => {
  stop();
  vi.unstubAllGlobals();
});

test.each([
  ["/", "", "executions", {}],
  ["/executions", "", "executions", {}],
  ["/executions/", "", "executions", {}],
  [`/executions/${A}`, "#L120-L130", "execution", { id: A }],
  [`/executions/${A},${B}`, "", "executions-many", { ids: `${A},${B}` }],
  [`/executions/${A}%2C${B}`, "", "executions-many", { ids: `${A},${B}` }],
  [`/executions/${Array(8).fill(A).join(",")}`, "", "executions-many", { ids: Array(8).fill(A).join(",") }],
  [`/executions/${Array(9).fill(A).join(",")}`, "", "not-found", {}],
  [`/executions/${A}/logs`, "", "not-found", {}],
  ["/executions/constructor", "", "not-found", {}],
  ["/constructor", "", "not-found", {}],
  ["/run", "", "run", {}],
  ["/secrets", "", "secrets", {}],
  ["/images", "", "images", {}],
  ["/users", "", "users", {}],
  ["/keys", "", "keys", {}],
  ["/health", "", "health", {}],
  ["/audit", "", "audit", {}],
  ["/settings", "", "settings", {}],
  ["/", "#/claim/abc-_123", "claim", { token: "abc-_123" }],
  ["/", "#/claim/", "executions", {}],
  ["/", "#/claim/a/b", "executions", {}],
  ["/run", "#/claim/abc", "run", {}],
])("matchRoute %s%s is %s", (path, hash, name, params) => {
  const match = matchRoute(path, hash);
  expect(match.page.name).toBe(name);
  expect(match.params).toEqual(params);
});

test("every page can be loaded", async () => {
  for (const page of Object.values(pages)) expect((await page.load()).default, page.name).toBeTypeOf("function");
});

test.each([
  ["/", `execution_id=${A}`, `/executions/${A}`],
  ["/", `execution_id=${A}&x=1`, `/executions/${A}`],
  ["/", "execution_id=//evil.example", null],
  ["/", "", null],
  ["/executions", `execution_id=${A}`, null],
])("canonical %s?%s is %s", (path, search, better) => {
  expect(canonical(path, new URLSearchParams(search))).toBe(better);
});

test("Runvoy's address is replaced, without an entry of its own", () => {
  const entries = history.length;
  navigate(`/?execution_id=${A}`, { replace: true });
  expect(location.pathname + location.search).toBe(`/executions/${A}`);
  expect(route.value.params).toEqual({ id: A });
  expect(history.length).toBe(entries);
});

test("navigate changes the address and what shows it", () => {
  navigate("/audit?action=secrets#x");
  expect(location.pathname).toBe("/audit");
  expect(address.value).toEqual({ path: "/audit", search: "?action=secrets", hash: "#x" });
  expect(query.value.get("action")).toBe("secrets");
});

test("setQuery sets, removes, and keeps the rest", () => {
  navigate("/executions?status=FAILED&q=a#L1");
  setQuery({ q: "b c", status: null, created_by: "" });
  expect(location.search).toBe("?q=b+c");
  expect(location.hash).toBe("#L1");
  setQuery({ q: "" });
  expect(location.search).toBe("");
});

test("setHash keeps path and query", () => {
  navigate(`/executions/${A}?q=x`);
  setHash("#L5-L7");
  expect(location.pathname + location.search + location.hash).toBe(`/executions/${A}?q=x#L5-L7`);
});

test("dropFragment leaves the page where it is", () => {
  navigate("/#/claim/token");
  expect(route.value.page.name).toBe("claim");
  dropFragment();
  expect(location.hash).toBe("");
  expect(route.value.page.name).toBe("claim");
});

function click(href: string, init: MouseEventInit = {}, attributes: Record<string, string> = {}): boolean {
  const link = document.createElement("a");
  link.setAttribute("href", href);
  for (const [name, value] of Object.entries(attributes)) link.setAttribute(name, value);
  const inner = document.createElement("span");
  link.append(inner);
  document.body.append(link);
  return !inner.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, button: 0, ...init }));
}

test("a click on a link of the viewer is taken", () => {
  expect(click("/settings")).toBe(true);
  expect(location.pathname).toBe("/settings");
});

test.each<[string, MouseEventInit, Record<string, string>]>([
  ["https://elsewhere.example/settings", {}, {}],
  ["/api/v1/health", {}, {}],
  ["/settings", { ctrlKey: true }, {}],
  ["/settings", { metaKey: true }, {}],
  ["/settings", { button: 1 }, {}],
  ["/settings", {}, { target: "_blank" }],
  ["/settings", {}, { download: "" }],
])("a click on %s is the browser's (%j %j)", (href, init, attributes) => {
  document.addEventListener("click", (event) => event.preventDefault(), { once: true });
  click(href, init, attributes);
  expect(location.pathname).toBe("/executions");
});
