import type { PageProps } from "../app/routes";

export default function APIKeysPage(_props: PageProps) {
  return <h1>API keys</h1>;
}
