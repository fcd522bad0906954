import type { PageProps } from "../app/routes";

export default function SecretsPage(_props: PageProps) {
  return <h1>Secrets</h1>;
}
