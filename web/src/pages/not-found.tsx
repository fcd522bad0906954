import { address } from "../app/router";
import { Empty } from "../ui/states";

export default function NotFoundPage() {
  return (
    <Empty title="There is no such page">
      <p>
        Nothing is at <code>{address.value.path}</code>. <a href="/executions">To the executions</a>
      </p>
    </Empty>
  );
}
