import type { PageProps } from "../app/routes";

export default function SignInPage(_props: PageProps) {
  return <h1>Sign in</h1>;
}
