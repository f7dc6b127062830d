// How to make something happen where nothing has: one command to copy.
import { useConsole } from "../shell/context.ts";

export function SendHint() {
  const { api } = useConsole();
  const project = api.project === "default" ? "" : ` -H 'attune-project: ${api.project}'`;
  const command = `curl -X POST ${location.origin}/v1/events -H 'content-type: application/json'${project} \\
  -d '{"user_id": "ada", "event_type": "view", "item_id": "lamp-1"${TIMESTAMP}}'`;
  return (
    <pre class="code hint" tabIndex={0} aria-label="A command that sends an event">
      <code>{command}</code>
    </pre>
  );
}

/** The shell writes the time, so that the command can be used again. */
const TIMESTAMP = `, "timestamp": '$(date +%s000)'`;
