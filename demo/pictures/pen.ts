// The pen that all pictures are drawn with: flat shapes, soft gradients, light from the upper left.
import type { Chance } from "../seeded.ts";

/** Four tones of one colour: lit side, the colour itself, shaded side, lines. */
export interface Tone {
  light: string;
  base: string;
  dark: string;
  deep: string;
}

const HUES = {
  sand: "#d6bf9e",
  moss: "#7f9270",
  clay: "#c8775a",
  fjord: "#5f8dab",
  ink: "#434c66",
  rose: "#dba0a0",
  ochre: "#dca74c",
  plum: "#86608a",
  snow: "#ebe7df",
  teal: "#4f9490",
  oak: "#c99f6c",
  walnut: "#8a5f43",
  steel: "#a9b0b8",
  night: "#2d3242",
  leaf: "#5f9467",
  terracotta: "#cb7f5e",
  cream: "#f6f0e4",
  coal: "#34363f",
  brass: "#c7a25a",
} as const;

export type ColourName = keyof typeof HUES;

export function tone(name: ColourName): Tone {
  const base = HUES[name];
  return {
    base,
    light: mix(base, "#ffffff", 0.32),
    dark: mix(base, "#1e2238", 0.22),
    deep: mix(base, "#1a1d30", 0.48),
  };
}

/** `share` of `other` in `colour`; both `#rrggbb`. */
export function mix(colour: string, other: string, share: number): string {
  let out = "#";
  for (const at of [1, 3, 5]) {
    const from = parseInt(colour.slice(at, at + 2), 16);
    const to = parseInt(other.slice(at, at + 2), 16);
    out += Math.round(from + (to - from) * share)
      .toString(16)
      .padStart(2, "0");
  }
  return out;
}

export interface Pen {
  readonly chance: Chance;
  /** A linear gradient as a paint; `slant` turns it from top-down (0) to left-right (1). */
  shade(from: string, to: string, slant?: number): string;
  /** A radial glow that fades to nothing. */
  glow(colour: string, opacity: number): string;
  /** Clips `content` to the shape of path `d`. */
  inside(d: string, content: string): string;
  /** The finished document. */
  sheet(size: { width: number; height: number }, content: string): string;
}

export function createPen(chance: Chance): Pen {
  const defs: string[] = [];
  const define = (build: (id: string) => string): string => {
    const id = `d${defs.length}`;
    defs.push(build(id));
    return `url(#${id})`;
  };
  return {
    chance,
    shade: (from, to, slant = 0) =>
      define(
        (id) =>
          `<linearGradient id="${id}" x1="0" y1="0" x2="${slant}" y2="${round(1 - slant * 0.6)}">` +
          `<stop stop-color="${from}"/><stop offset="1" stop-color="${to}"/></linearGradient>`,
      ),
    glow: (colour, opacity) =>
      define(
        (id) =>
          `<radialGradient id="${id}"><stop stop-color="${colour}" stop-opacity="${opacity}"/>` +
          `<stop offset="1" stop-color="${colour}" stop-opacity="0"/></radialGradient>`,
      ),
    inside: (d, content) =>
      `<g clip-path="${define((id) => `<clipPath id="${id}"><path d="${d}"/></clipPath>`)}">${content}</g>`,
    sheet: ({ width, height }, content) =>
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
      `<defs>${defs.join("")}</defs>${content}</svg>`,
  };
}

const round = (value: number): number => Math.round(value * 10) / 10;

export const path = (d: string, fill: string, extra = ""): string =>
  `<path d="${d}" fill="${fill}"${extra && ` ${extra}`}/>`;
export const circle = (x: number, y: number, r: number, fill: string, extra = ""): string =>
  `<circle cx="${round(x)}" cy="${round(y)}" r="${round(r)}" fill="${fill}"${extra && ` ${extra}`}/>`;
export const oval = (x: number, y: number, rx: number, ry: number, fill: string, extra = ""): string =>
  `<ellipse cx="${round(x)}" cy="${round(y)}" rx="${round(rx)}" ry="${round(ry)}" fill="${fill}"${extra && ` ${extra}`}/>`;
/** A rectangle from its left upper corner. */
export const box = (x: number, y: number, w: number, h: number, r: number, fill: string, extra = ""): string =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" rx="${r}" fill="${fill}"${extra && ` ${extra}`}/>`;
/** An open line along path `d` with round ends. */
export const line = (d: string, colour: string, width: number, extra = ""): string =>
  `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"${extra && ` ${extra}`}/>`;
export const group = (transform: string, content: string): string => `<g transform="${transform}">${content}</g>`;
/** A ring of thickness `width`. */
export const ring = (x: number, y: number, r: number, colour: string, width: number, extra = ""): string =>
  circle(x, y, r, "none", `stroke="${colour}" stroke-width="${width}"${extra && ` ${extra}`}`);
/** A group that shows what lies under it. */
export const faint = (opacity: number, content: string): string => `<g opacity="${opacity}">${content}</g>`;
export const times = (count: number, draw: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => draw(index)).join("");
