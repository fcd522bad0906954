import type { PageProps } from "../app/routes";

export default function UsersPage(_props: PageProps) {
  return <h1>Users</h1>;
}
