// What this person would be shown had they done otherwise, or were they elsewhere; and why an item is not in their list.
import { useState } from "preact/hooks";
import { useItems } from "../../api/use-items.ts";
import type { PersonRef, Profile } from "../../api/types.ts";
import { Comparison, WhyNot } from "../../lists/comparison.tsx";
import { usePreview } from "../../lists/use-preview.ts";
import { Card } from "../../parts/card.tsx";
import { Chip } from "../../parts/chip.tsx";
import { ItemField } from "../../parts/item-field.tsx";
import { Failed, Loading } from "../../parts/state.tsx";
import { useConsole } from "../../shell/context.ts";
import { queryOfPerson } from "../../shell/person-query.ts";

const RECENT_SHOWN = 8;
const LIMIT = 8;
const EVENTS = ["view", "click", "like", "add_to_cart", "purchase", "dismiss"];
const DEVICES = ["", "desktop", "mobile", "tablet"];

interface WhatIfProps {
  readonly person: PersonRef;
  readonly profile: Profile;
  readonly placements: readonly string[];
}

export function WhatIf({ person, profile, placements }: WhatIfProps) {
  const { links } = useConsole();
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(placements[0] ?? "home");
  return (
    <Card
      title="Why not, what if"
      note="Nothing is logged and nothing changes."
      end={
        <>
          <a class="btn small" href={links.view(["merchandising", chosen], { person: queryOfPerson(person) })}>
            Knobs
          </a>
          <button type="button" class="btn small" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "Close" : "Open"}
          </button>
        </>
      }
    >
      {open ? (
        <Question person={person} profile={profile} placements={placements} chosen={chosen} onChoose={setChosen} />
      ) : (
        <p class="soft">
          Ask why an item is missing, leave out what was done, add what was not, or move the person elsewhere.
        </p>
      )}
    </Card>
  );
}

interface QuestionProps extends WhatIfProps {
  readonly chosen: string;
  readonly onChoose: (placement: string) => void;
}

function Question({ person, profile, placements, chosen, onChoose }: QuestionProps) {
  const [without, setWithout] = useState<readonly string[]>([]);
  const [events, setEvents] = useState<readonly { event_type: string; item_id: string }[]>([]);
  const [added, setAdded] = useState({ event_type: "view", item_id: "" });
  const [context, setContext] = useState<Record<string, string>>({});
  const [missing, setMissing] = useState("");
  const recent = [...new Set(profile.recent.map(({ item_id }) => item_id))].slice(0, RECENT_SHOWN);
  const named = useItems([...recent, ...events.map(({ item_id }) => item_id)]);
  const nameOf = (id: string): string => named.get(id)?.title ?? id;
  const change = {
    ...(without.length === 0 ? {} : { without: [...without] }),
    ...(events.length === 0 ? {} : { events: [...events] }),
    ...(Object.keys(context).length === 0 ? {} : { context }),
  };
  const isOneList = Object.keys(change).length === 0;
  const { preview, error, faults, isBehind, reload } = usePreview({
    ...person,
    placement: chosen,
    limit: LIMIT,
    change,
    ...(missing.trim() === "" ? {} : { why_not: [missing.trim()] }),
  });
  const surround = (name: string, value: string): void => {
    const { [name]: _old, ...rest } = context;
    setContext(value === "" ? rest : { ...rest, [name]: value });
  };
  return (
    <div class="stack">
      <div class="whom">
        <label class="stacked">
          <span>Placement</span>
          <select class="field" value={chosen} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
            {placements.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="stacked">
          <span>Why not</span>
          <ItemField value={missing} onValue={setMissing} />
        </label>
        <label class="stacked">
          <span>In country</span>
          <input
            class="field"
            value={context["country"] ?? ""}
            placeholder="as known"
            maxLength={2}
            onInput={({ currentTarget }) => surround("country", currentTarget.value.toUpperCase())}
          />
        </label>
        <label class="stacked">
          <span>On device</span>
          <select
            class="field"
            value={context["device"] ?? ""}
            onChange={({ currentTarget }) => surround("device", currentTarget.value)}
          >
            {DEVICES.map((device) => (
              <option key={device} value={device}>
                {device === "" ? "as known" : device}
              </option>
            ))}
          </select>
        </label>
      </div>
      <form
        class="whom"
        onSubmit={(event) => {
          event.preventDefault();
          if (added.item_id.trim() === "") return;
          setEvents([...events, { ...added, item_id: added.item_id.trim() }]);
          setAdded({ ...added, item_id: "" });
        }}
      >
        <label class="stacked">
          <span>Had they also</span>
          <select
            class="field"
            value={added.event_type}
            onChange={({ currentTarget }) => setAdded({ ...added, event_type: currentTarget.value })}
          >
            {EVENTS.map((type) => (
              <option key={type}>{type}</option>
            ))}
          </select>
        </label>
        <label class="stacked">
          <span>Item</span>
          <ItemField value={added.item_id} onValue={(item_id) => setAdded({ ...added, item_id })} />
        </label>
        <button type="submit" class="btn">
          Add
        </button>
      </form>
      {events.length === 0 ? null : (
        <div class="row wrap">
          {events.map(({ event_type, item_id }, i) => (
            <button
              key={i}
              type="button"
              class="btn small"
              aria-pressed="true"
              onClick={() => setEvents(events.filter((_, j) => j !== i))}
            >
              {event_type} {nameOf(item_id)}
            </button>
          ))}
        </div>
      )}
      {recent.length === 0 ? null : (
        <fieldset class="row wrap">
          <legend>Had they never met</legend>
          {recent.map((id) => (
            <button
              key={id}
              type="button"
              class="btn small"
              title={nameOf(id)}
              aria-pressed={without.includes(id)}
              onClick={() => setWithout(without.includes(id) ? without.filter((other) => other !== id) : [...without, id])}
            >
              <span class="cut">{nameOf(id)}</span>
            </button>
          ))}
        </fieldset>
      )}
      {faults.length > 0 || error !== undefined ? (
        <Failed what="The preview" error={error ?? new Error(faults[0]!.message)} onRetry={reload} />
      ) : preview === undefined ? (
        <Loading rows={8} />
      ) : (
        <div class={isBehind ? "stack behind" : "stack"} aria-busy={isBehind}>
          {preview.personalized ? null : <Chip tone="warn">lists do not follow this person: consent is missing</Chip>}
          <WhyNot asked={preview.why_not} isOneList={isOneList} />
          <Comparison preview={preview} beforeTitle="As it is" afterTitle="What if" />
        </div>
      )}
    </div>
  );
}
