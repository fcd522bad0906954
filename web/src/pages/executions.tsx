import type { PageProps } from "../app/routes";

export default function ExecutionsPage(_props: PageProps) {
  return <h1>Executions</h1>;
}
