import type { PageProps } from "../app/routes";

export default function ExecutionPage(_props: PageProps) {
  return <h1>Execution</h1>;
}
