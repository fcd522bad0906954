// The paths of the viewer. tailgated serves index.html for exactly these (gateway/app_paths.c).
import type { ComponentType } from "preact";

export interface PageProps {
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  hash: string;
}

export type PageModule = { default: ComponentType<PageProps> };

export interface Page {
  name: string;
  title: string;
  load: () => Promise<PageModule>;
  /** What the caller's role must allow for the page to be in the navigation. */
  needs?: readonly [resource: string, action: string];
  /** Shown without a key. */
  open?: boolean;
}

export interface Match {
  page: Page;
  params: Record<string, string>;
}

const id = "[0-9a-f]{32}";

export const pages = {
  executions: { name: "executions", title: "Executions", load: () => import("../pages/executions"), needs: ["executions", "list"] },
  execution: { name: "execution", title: "Execution", load: () => import("../pages/execution") },
  many: { name: "executions-many", title: "Executions side by side", load: () => import("../pages/executions-many") },
  run: { name: "run", title: "Run", load: () => import("../pages/run"), needs: ["executions", "create"] },
  secrets: { name: "secrets", title: "Secrets", load: () => import("../pages/secrets"), needs: ["secrets", "list"] },
  images: { name: "images", title: "Images", load: () => import("../pages/images"), needs: ["images", "read"] },
  users: { name: "users", title: "Users", load: () => import("../pages/users"), needs: ["users", "list"] },
  keys: { name: "keys", title: "API keys", load: () => import("../pages/keys"), needs: ["api_keys", "manage"] },
  health: { name: "health", title: "Health", load: () => import("../pages/health"), needs: ["server", "read"] },
  audit: { name: "audit", title: "Audit", load: () => import("../pages/audit"), needs: ["audit", "read"] },
  settings: { name: "settings", title: "Settings", load: () => import("../pages/settings"), open: true },
  claim: { name: "claim", title: "Claim an account", load: () => import("../pages/claim"), open: true },
  notFound: { name: "not-found", title: "Not found", load: () => import("../pages/not-found"), open: true },
} satisfies Record<string, Page>;

const fixed: Record<string, Page> = {
  "/": pages.executions,
  "/executions": pages.executions,
  "/run": pages.run,
  "/secrets": pages.secrets,
  "/images": pages.images,
  "/users": pages.users,
  "/keys": pages.keys,
  "/health": pages.health,
  "/audit": pages.audit,
  "/settings": pages.settings,
};

const onePattern = new RegExp(`^/executions/(${id})$`);
const manyPattern = new RegExp(`^/executions/(${id}(?:,${id}){1,7})$`);
const claimPattern = /^#\/claim\/([A-Za-z0-9_.~=-]+)$/;

/** The address that this one stands for, when it is an old or a short form of another. */
export function canonical(path: string, query: URLSearchParams): string | null {
  const old = query.get("execution_id");
  if (path === "/" && old !== null && new RegExp(`^${id}$`).test(old)) return `/executions/${old}`;
  return null;
}

export function matchRoute(rawPath: string, hash: string): Match {
  const path = rawPath.replace(/%2c/gi, ",").replace(/(.)\/+$/, "$1");
  const claim = path === "/" ? claimPattern.exec(hash) : null;
  if (claim?.[1]) return { page: pages.claim, params: { token: claim[1] } };
  const page = Object.hasOwn(fixed, path) ? fixed[path] : undefined;
  if (page) return { page, params: {} };
  const one = onePattern.exec(path);
  if (one?.[1]) return { page: pages.execution, params: { id: one[1] } };
  const many = manyPattern.exec(path);
  if (many?.[1]) return { page: pages.many, params: { ids: many[1] } };
  return { page: pages.notFound, params: {} };
}
