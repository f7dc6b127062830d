// Keys of the project: made, shown once, rotated with an overlap, revoked at once.
import { useState } from "preact/hooks";
import { ApiProblem } from "../api/client.ts";
import { KEY_ROLES, type IssuedKey, type Key } from "../api/types.ts";
import { useRead, type Reading } from "../api/use-read.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { adviceOn, Empty, Failed, Loading } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { useConsole } from "../shell/context.ts";

const OVERLAP_S = 86_400;
const KEYS_EVERY_MS = 10_000;
const STATES = { in_force: "in force", expired: "expired", revoked: "revoked" } as const;

interface Question {
  kind: "rotate" | "revoke";
  key: Key;
}

export function KeysView() {
  const { api, notify } = useConsole();
  const keys = useRead(`keys ${api.project}`, () => api.keys(), KEYS_EVERY_MS);
  const [issued, setIssued] = useState<IssuedKey>();
  const [question, setQuestion] = useState<Question>();
  // Who may not see the keys may make none.
  const isRefused = keys.error instanceof ApiProblem && keys.error.status === 403;
  const failed = (error: unknown): void => notify(adviceOn(error), "bad");
  const took = (key: IssuedKey): void => {
    const isFirst = keys.data?.length === 0;
    setIssued(key);
    // The first key closes the node, to whoever has just made it too: the console goes on with it.
    if (isFirst) void api.logIn(key.key).then(keys.reload, failed);
    else keys.reload();
  };
  const carryOut = ({ kind, key }: Question): void => {
    if (kind === "rotate") return void api.rotateKey(key.key_id, OVERLAP_S).then(took, failed);
    api.revokeKey(key.key_id).then(() => {
      notify(`${key.name} is revoked.`);
      keys.reload();
    }, failed);
  };
  return (
    <>
      <ViewHead title="Keys" about="Who may do what. Without any key the node is open, and answers this machine alone." />
      <div class="stack">
        {isRefused ? null : <NewKey onMade={took} onFailed={failed} isFirst={keys.data?.length === 0} />}
        {issued === undefined ? null : <Shown issued={issued} onDone={() => setIssued(undefined)} />}
        <Keys keys={keys} onAsk={setQuestion} />
      </div>
      {question === undefined ? null : (
        <Confirm
          title={question.kind === "rotate" ? `Rotate ${question.key.name}?` : `Revoke ${question.key.name}?`}
          action={question.kind === "rotate" ? "Rotate" : "Revoke"}
          danger={question.kind === "revoke"}
          onConfirm={() => carryOut(question)}
          onClose={() => setQuestion(undefined)}
        >
          {question.kind === "rotate"
            ? "A new key with the same rights is shown once. The old one goes on for 24 hours."
            : "Whoever uses it is refused from the next request on. This cannot be undone."}
        </Confirm>
      )}
    </>
  );
}

function Keys({ keys, onAsk }: { keys: Reading<readonly Key[]>; onAsk: (question: Question) => void }) {
  return (
    <Card title="Keys of this project" flush>
      {keys.data === undefined ? (
        keys.error === undefined ? (
          <Loading rows={4} />
        ) : (
          <Failed what="The keys" error={keys.error} onRetry={keys.reload} />
        )
      ) : keys.data.length === 0 ? (
        <Empty icon="key" title="There is no key">
          The first one must be an admin key: from then on nobody gets in without one.
        </Empty>
      ) : (
        <Table
          label="Keys"
          rows={[...keys.data].reverse()}
          keyOf={(key) => key.key_id}
          columns={[
            { head: "Name", cell: (key) => <Named of={key} /> },
            { head: "Role", width: "96px", cell: (key) => key.role },
            { head: "Made", width: "120px", wideOnly: true, cell: (key) => <RelativeTime at={key.created_at} /> },
            { head: "State", width: "112px", cell: (key) => <State of={key} /> },
            {
              head: "Actions",
              silentHead: true,
              align: "right",
              width: "180px",
              cell: (key) =>
                key.state === "in_force" ? (
                  <div class="row end">
                    <button type="button" class="btn" onClick={() => onAsk({ kind: "rotate", key })}>
                      Rotate
                    </button>
                    <button type="button" class="btn" onClick={() => onAsk({ kind: "revoke", key })}>
                      Revoke
                    </button>
                  </div>
                ) : null,
            },
          ]}
        />
      )}
    </Card>
  );
}

function NewKey(props: { onMade: (key: IssuedKey) => void; onFailed: (error: unknown) => void; isFirst: boolean }) {
  const { api } = useConsole();
  const [role, setRole] = useState<string>("write");
  const [name, setName] = useState("");
  const [origins, setOrigins] = useState("");
  const [making, setMaking] = useState(false);
  const shownRole = props.isFirst ? "admin" : role;
  const submit = (event: Event): void => {
    event.preventDefault();
    const listed = origins.split(/[\s,]+/).filter((origin) => origin !== "");
    setMaking(true);
    const made = api.makeKey({ role: shownRole, name, ...(listed.length > 0 && { origins: listed }) });
    void made.finally(() => setMaking(false)).then((key) => {
      setName("");
      setOrigins("");
      props.onMade(key);
    }, props.onFailed);
  };
  return (
    <Card title="New key">
      <form class="row wrap" onSubmit={submit}>
        <select
          class="field"
          aria-label="Role"
          value={shownRole}
          disabled={props.isFirst}
          onChange={(event) => setRole(event.currentTarget.value)}
        >
          {KEY_ROLES.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
        <input
          class="field"
          aria-label="Name"
          placeholder="What it is for"
          maxLength={64}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        {shownRole === "write" ? (
          <input
            class="field origins"
            aria-label="Origins"
            placeholder="https://shop.example (any if empty)"
            value={origins}
            onInput={(event) => setOrigins(event.currentTarget.value)}
          />
        ) : null}
        <button type="submit" class="btn primary" disabled={making || name.trim() === ""}>
          Make the key
        </button>
      </form>
    </Card>
  );
}

function Shown({ issued, onDone }: { issued: IssuedKey; onDone: () => void }) {
  const { notify } = useConsole();
  const copy = (): void => {
    navigator.clipboard.writeText(issued.key).then(
      () => notify("Copied."),
      () => notify("The browser does not let the page copy: select the key and copy it.", "bad"),
    );
  };
  return (
    <Card title={`${issued.name}: copy it now, it is shown this once`}>
      <div class="row wrap" role="status">
        <code class="cut">{issued.key}</code>
        <button type="button" class="btn primary" onClick={copy}>
          Copy
        </button>
        <button type="button" class="btn" onClick={onDone}>
          I have it
        </button>
      </div>
    </Card>
  );
}

function Named({ of }: { of: Key }) {
  return (
    <>
      <div>{of.name}</div>
      <div class="faint">{[of.key_id, ...(of.origins ?? [])].join(" · ")}</div>
    </>
  );
}

function State({ of }: { of: Key }) {
  if (of.state !== "in_force" || of.expires_at === null) return <>{STATES[of.state]}</>;
  return (
    <>
      ends <RelativeTime at={of.expires_at} />
    </>
  );
}
