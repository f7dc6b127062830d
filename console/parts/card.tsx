// A titled surface. `end` holds its controls.
import type { ComponentChildren } from "preact";

interface CardProps {
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly end?: ComponentChildren;
  readonly children: ComponentChildren;
  /** Tables reach the card's edges. */
  readonly flush?: boolean;
  readonly className?: string;
}

export function Card({ title, note, end, children, flush, className }: CardProps) {
  return (
    <section class={`card ${className ?? ""}`} aria-label={title}>
      <header class="card-head">
        <h2>{title}</h2>
        {note ? <span class="faint small">{note}</span> : null}
        {end ? <div class="end">{end}</div> : null}
      </header>
      <div class={flush === true ? "card-body flush" : "card-body"}>{children}</div>
    </section>
  );
}

/** The head of a view: its name, what it is about, its controls. */
export function ViewHead({
  title,
  about,
  end,
}: {
  title: ComponentChildren;
  about?: ComponentChildren;
  end?: ComponentChildren;
}) {
  return (
    <div class="view-head">
      <div>
        <h1>{title}</h1>
        {about ? <p class="soft">{about}</p> : null}
      </div>
      {end ? <div class="end">{end}</div> : null}
    </div>
  );
}
