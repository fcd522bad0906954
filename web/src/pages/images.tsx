import type { PageProps } from "../app/routes";

export default function ImagesPage(_props: PageProps) {
  return <h1>Images</h1>;
}
