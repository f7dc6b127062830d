// Before the console: a node with keys asks for one, or sends people to their identity provider, and the browser keeps a
// cookie in their place.
import { useState } from "preact/hooks";
import { createApi } from "../api/client.ts";
import { useRead } from "../api/use-read.ts";
import { Mark } from "../parts/icon.tsx";
import { adviceOn, Failed, Loading } from "../parts/state.tsx";
import { App } from "./app.tsx";
import { useRoute } from "./route.ts";

export function Gate() {
  const { project } = useRoute();
  const api = createApi(project);
  const session = useRead("session", () => api.session());
  if (session.data === undefined) {
    return (
      <main class="login">
        {session.error === undefined ? (
          <div class="card late">
            <p class="brand">
              <Mark /> attune
            </p>
            <Loading rows={3} label="Loading the console" />
          </div>
        ) : (
          <div class="card">
            <Failed what="The console" error={session.error} onRetry={session.reload} />
          </div>
        )}
      </main>
    );
  }
  const { kind, provider } = session.data;
  return kind === "nobody" ? <LogIn onLoggedIn={session.reload} project={project} provider={provider} /> : <App />;
}

interface LogInProps {
  project: string;
  /** The identity provider's name. */
  provider: string | null;
  onLoggedIn: () => void;
}

function LogIn({ project, provider, onLoggedIn }: LogInProps) {
  const [key, setKey] = useState("");
  const [fault, setFault] = useState(wordsOnReturn);
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
        {provider === null ? null : (
          <a class="btn primary" href={`/v1/session/oidc?${new URLSearchParams({ project }).toString()}`}>
            Log in with {provider}
          </a>
        )}
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
        <p
          id="login-advice"
          class={fault === undefined ? "soft" : "fault"}
          role={fault === undefined ? undefined : "alert"}
        >
          {fault ?? (
            <>
              A read, operator or admin key of this node. Operators make one with{" "}
              <code class="nowrap">attune keys create --role admin</code>.
            </>
          )}
        </p>
        <button type="submit" class={provider === null ? "btn primary" : "btn"} disabled={key.trim() === ""}>
          Log in
        </button>
      </form>
    </main>
  );
}

/** Why the identity provider's login led back here without one. */
const RETURNS: Readonly<Record<string, string>> = {
  login_denied: "The identity provider did not let you in.",
  login_expired: "The login took too long or was another one's. Try again.",
  login_no_role: "You are known to the identity provider, but none of your groups has a role here. Ask an administrator.",
  login_failed: "The identity provider cannot be asked, or its answer cannot be used. The node's log says more.",
};

function wordsOnReturn(): string | undefined {
  const code = new URLSearchParams(location.search).get("login_fault");
  return code === null ? undefined : (RETURNS[code] ?? "The login failed. Try again.");
}

function wordsOn(error: unknown): string {
  const { code } = error as { code?: string };
  if (code === "key_invalid") return "The key is unknown, revoked or expired.";
  if (code === "forbidden") return "A write key opens no console: take a read, operator or admin key.";
  return adviceOn(error);
}
