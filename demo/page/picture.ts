// An item's picture, or in its place the first letter of its title: a catalogue that somebody imported may have none.
import type { CatalogueItem } from "../../sdk/index.ts";
import { h } from "./dom.ts";

interface PictureProps {
  readonly width: number;
  readonly height: number;
  readonly class?: string;
  readonly decoding?: "async";
  readonly draggable?: "false";
}

/** A picture says nothing that its title does not: both are for the eye alone. */
export function pictureOf({ image_url: url, title }: CatalogueItem, props: PictureProps): HTMLElement {
  if (url !== undefined && url !== "") return h("img", { src: url, alt: "", ...props });
  const { width, height } = props;
  const plate = h("span", { class: `plate ${props.class ?? ""}`.trim(), "aria-hidden": "true" }, initialOf(title));
  plate.style.aspectRatio = `${width} / ${height}`;
  return plate;
}

function initialOf(title: string): string {
  const [letter = ""] = /[\p{L}\p{N}]/u.exec(title) ?? [];
  return letter.toUpperCase();
}
