import { useEffect } from "preact/hooks";
import { apiKey } from "../api/client";
import { may, session, sessionError, reloadSession, startSession } from "../api/session";
import { Empty, ErrorBox, Spinner } from "../ui/states";
import SignIn from "../pages/sign-in";
import { ConfirmDialog } from "./confirm";
import { ErrorBoundary } from "./error-boundary";
import { LazyPage } from "./lazy-page";
import { Navigation } from "./navigation";
import { address, query, route } from "./router";
import { Toasts } from "./toast";

function NotAllowed({ title }: { title: string }) {
  return (
    <Empty title={`${title}: not for your role`}>
      <p>
        You are signed in as {session.value?.email}, {session.value?.role}. <a href="/executions">To the executions</a>
      </p>
    </Empty>
  );
}

/** The page of the address; before it what it takes to see it: a key that the server knows. */
function CurrentPage() {
  const { page, params } = route.value;
  const props = { params, query: query.value, hash: address.value.hash };
  if (page.open) return <LazyPage page={page} {...props} />;
  if (apiKey.value === null || sessionError.value?.status === 401) return <SignIn {...props} />;
  if (sessionError.value) return <ErrorBox error={sessionError.value} onRetry={reloadSession} />;
  if (!session.value) return <Spinner label="Signing in …" />;
  if (page.needs && !may(...page.needs)) return <NotAllowed title={page.title} />;
  return <LazyPage page={page} {...props} />;
}

export function App() {
  const { page } = route.value;
  const title = page.title;
  useEffect(startSession, []);
  useEffect(() => {
    document.title = title === "Executions" ? "Tailgate" : `${title} · Tailgate`;
  }, [title, address.value.path]);
  return (
    <>
      <a class="skip-link" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Navigation />
      <main id="main" tabIndex={-1} class={`main page-${page.name}`}>
        <ErrorBoundary key={address.value.path}>
          <CurrentPage />
        </ErrorBoundary>
      </main>
      <Toasts />
      <ConfirmDialog />
    </>
  );
}

// The fragment belongs to the pages (#L120): focus moves without it.
function skip(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
