import { useEffect, useState } from "preact/hooks";
import { may, session } from "../api/session";
import { address, route } from "./router";
import { pages, type Page } from "./routes";
import { ThemeSwitch } from "./theme-switch";

interface Entry {
  href: string;
  page: Page;
  /** Other pages that belong to it. */
  also?: readonly string[];
}

const entries: readonly Entry[] = [
  { href: "/executions", page: pages.executions, also: ["execution", "executions-many"] },
  { href: "/run", page: pages.run },
  { href: "/secrets", page: pages.secrets },
  { href: "/images", page: pages.images },
  { href: "/keys", page: pages.keys },
  { href: "/users", page: pages.users },
  { href: "/audit", page: pages.audit },
  { href: "/health", page: pages.health },
];

const allowed = ({ page }: Entry): boolean => !page.needs || may(...page.needs) !== null;

export function Navigation() {
  const [open, setOpen] = useState(false);
  const { page } = route.value;
  const shown = session.value ? entries.filter(allowed) : [];
  useEffect(() => setOpen(false), [address.value]);
  return (
    <header class="header">
      <a class="brand" href="/">
        <img src="/favicon.svg" alt="" width="22" height="22" />
        Tailgate
      </a>
      <button
        type="button"
        class="button button-quiet menu-button"
        aria-expanded={open}
        aria-controls="navigation"
        onClick={() => setOpen(!open)}
      >
        Menu
      </button>
      <nav id="navigation" class={open ? "nav nav-open" : "nav"} aria-label="Pages" data-testid="nav">
        {shown.map((entry) => {
          const current = entry.page.name === page.name || Boolean(entry.also?.includes(page.name));
          return (
            <a key={entry.href} href={entry.href} aria-current={current ? "page" : undefined}>
              {entry.page.title}
            </a>
          );
        })}
        <span class="nav-space" />
        <a href="/settings" aria-current={page.name === "settings" ? "page" : undefined}>
          {session.value ? `Settings (${session.value.email})` : "Settings"}
        </a>
      </nav>
      <ThemeSwitch />
    </header>
  );
}
