import type { PageProps } from "../app/routes";

export default function HealthPage(_props: PageProps) {
  return <h1>Health</h1>;
}
