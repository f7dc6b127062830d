// An address that leads nowhere.
import { ViewHead } from "../parts/card.tsx";
import { Empty } from "../parts/state.tsx";
import { useConsole } from "./context.ts";

export function NotFound() {
  const { links } = useConsole();
  return (
    <>
      <ViewHead title="Not found" />
      <div class="card">
        <Empty
          icon="search"
          title="There is no such view"
          action={
            <a class="btn" href={links.view(["overview"])}>
              Go to the overview
            </a>
          }
        >
          The address may be from another version of the console. Search with Ctrl K, or start from the overview.
        </Empty>
      </div>
    </>
  );
}
