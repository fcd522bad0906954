import type { PageProps } from "../app/routes";

export default function AuditPage(_props: PageProps) {
  return <h1>Audit</h1>;
}
