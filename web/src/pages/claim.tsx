import type { PageProps } from "../app/routes";

export default function ClaimAnAccountPage(_props: PageProps) {
  return <h1>Claim an account</h1>;
}
