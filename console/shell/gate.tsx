// Before the console: a node with keys asks for one, and the browser keeps a cookie in its place.
import { useState } from "preact/hooks";
import { createApi } from "../api/client.ts";
import { useRead } from "../api/use-read.ts";
import { Mark } from "../parts/icon.tsx";
import { adviceOn, Failed } from "../parts/state.tsx";
import { App } from "./app.tsx";
import { useRoute } from "./route.ts";

export function Gate() {
  const { project } = useRoute();
  const api = createApi(project);
  const session = useRead("session", () => api.session());
  if (session.data === undefined) {
    return session.error === undefined ? null : <Failed what="The console" error={session.error} onRetry={session.reload} />;
  }
  return session.data.kind === "nobody" ? <LogIn onLoggedIn={session.reload} project={project} /> : <App />;
}

function LogIn({ project, onLoggedIn }: { project: string; onLoggedIn: () => void }) {
  const [key, setKey] = useState("");
  const [fault, setFault] = useState<string>();
  const submit = (event: Event): void => {
    event.preventDefault();
    createApi(project)
      .logIn(key.trim())
      .then(onLoggedIn, (error: unknown) => setFault(wordsOn(error)));
  };
  return (
    <main class="login">
      <form class="card" onSubmit={submit}>
        <h1>
          <Mark /> attune
        </h1>
        <label>
          Key
          <input
            class="field"
            type="password"
            autocomplete="current-password"
            value={key}
            placeholder="sk_…"
            aria-describedby="login-advice"
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </label>
        <p id="login-advice" class="soft" role={fault === undefined ? undefined : "alert"}>
          {fault ?? "A read, operator or admin key of this node. Operators make one with: attune keys create --role admin"}
        </p>
        <button type="submit" class="btn primary" disabled={key.trim() === ""}>
          Log in
        </button>
      </form>
    </main>
  );
}

function wordsOn(error: unknown): string {
  const { code } = error as { code?: string };
  if (code === "key_invalid") return "The key is unknown, revoked or expired.";
  if (code === "forbidden") return "A write key opens no console: take a read, operator or admin key.";
  return adviceOn(error);
}
