import type { PageProps } from "../app/routes";

export default function RunPage(_props: PageProps) {
  return <h1>Run</h1>;
}
