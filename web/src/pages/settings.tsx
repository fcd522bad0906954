import type { PageProps } from "../app/routes";

export default function SettingsPage(_props: PageProps) {
  return <h1>Settings</h1>;
}
