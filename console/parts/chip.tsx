// A small label: a segment, a state, an event's type.
import type { ComponentChildren } from "preact";

export type Tone = "accent" | "good" | "warn" | "bad";

export function Chip({
  children,
  tone,
  href,
  fresh,
  title,
}: {
  children: ComponentChildren;
  tone?: Tone | undefined;
  href?: string;
  fresh?: boolean;
  title?: string | undefined;
}) {
  const className = fresh === true ? "chip fresh" : "chip";
  if (href !== undefined)
    return (
      <a class={className} href={href} title={title}>
        <span>{children}</span>
      </a>
    );
  return (
    <span class={className} data-tone={tone} title={title}>
      <span>{children}</span>
    </span>
  );
}

/** Interactions that weigh most stand out; what people do not want is red. */
const EVENT_TONES: Readonly<Record<string, Tone>> = {
  purchase: "good",
  add_to_cart: "accent",
  like: "accent",
  click: "accent",
  dislike: "bad",
  dismiss: "bad",
  remove_from_cart: "warn",
};

export function EventType({ type }: { type: string }) {
  return <Chip tone={EVENT_TONES[type]}>{type}</Chip>;
}
