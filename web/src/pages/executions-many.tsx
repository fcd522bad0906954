import type { PageProps } from "../app/routes";

export default function ExecutionsSideBySidePage(_props: PageProps) {
  return <h1>Executions side by side</h1>;
}
