// A product's picture: one object of its kind, in its colour, on a quiet backdrop.
import { chanceFrom } from "../seeded.ts";
import { box, circle, createPen, mix, oval, path, tone, type ColourName, type Pen, type Tone } from "./pen.ts";
import * as home from "./home.ts";
import * as leisure from "./leisure.ts";
import * as wear from "./wear.ts";

/** The tones that a drawing may use: the product's own two, and the materials. */
export interface Look extends Record<
  | "wood"
  | "metal"
  | "brass"
  | "coal"
  | "leaf"
  | "oak"
  | "walnut"
  | "snow"
  | "fjord"
  | "clay"
  | "rose"
  | "steel"
  | "case",
  Tone
> {
  main: Tone;
  second: Tone;
  /** The flat colour behind the object, for shapes that are cut out. */
  backdrop: string;
}

export type Drawing = (pen: Pen, look: Look) => string;

const DRAWINGS = {
  armchair: home.armchair,
  "dining-chair": home.diningChair,
  stool: home.stool,
  sofa: home.sofa,
  "pendant-lamp": home.pendantLamp,
  "table-lamp": home.tableLamp,
  "floor-lamp": home.floorLamp,
  mug: home.mug,
  teapot: home.teapot,
  bowl: home.bowl,
  carafe: home.carafe,
  monstera: home.monstera,
  cactus: home.cactus,
  palm: home.palm,
  "rubber-plant": home.rubberPlant,
  "snake-plant": home.snakePlant,
  sneaker: wear.sneaker,
  boot: wear.boot,
  sandal: wear.sandal,
  parka: wear.parka,
  "rain-jacket": wear.rainJacket,
  jumper: wear.jumper,
  backpack: wear.backpack,
  tote: wear.tote,
  weekender: wear.weekender,
  watch: wear.watch,
  "square-watch": wear.squareWatch,
  headphones: leisure.headphones,
  earbuds: leisure.earbuds,
  speaker: leisure.speaker,
  turntable: leisure.turntable,
  radio: leisure.radio,
  novel: leisure.book,
  essays: leisure.book,
  cookbook: leisure.book,
  "box-set": leisure.bookStack,
  "city-bike": leisure.cityBike,
  "road-bike": leisure.roadBike,
  helmet: leisure.helmet,
  tent: leisure.tent,
  lantern: leisure.lantern,
  thermos: leisure.thermos,
  "camp-chair": leisure.campChair,
} satisfies Record<string, Drawing>;

export type ProductKind = keyof typeof DRAWINGS;

const BACKDROPS: Record<string, readonly [string, string]> = {
  linen: ["#f5efe6", "#eadfcf"],
  mist: ["#eaf0f3", "#d6e2e8"],
  blush: ["#f6ebe8", "#ecd8d3"],
  sage: ["#edf1e8", "#dbe4d1"],
  lilac: ["#f0edf5", "#e0d9ea"],
  honey: ["#f8efdc", "#efdfbd"],
  shell: ["#f3f1ee", "#e2deda"],
};

/** Backdrops that let each colour stand out. */
const BEHIND: Record<string, readonly string[]> = {
  sand: ["mist", "sage", "lilac"],
  moss: ["linen", "honey", "blush"],
  clay: ["mist", "linen", "sage"],
  fjord: ["linen", "blush", "honey"],
  ink: ["honey", "mist", "blush"],
  rose: ["mist", "sage", "shell"],
  ochre: ["mist", "lilac", "sage"],
  plum: ["honey", "shell", "sage"],
  snow: ["blush", "sage", "mist", "lilac"],
  teal: ["blush", "linen", "honey"],
};
const BESIDE: Record<string, readonly ColourName[]> = {
  sand: ["clay", "ink", "moss"],
  moss: ["sand", "ochre", "snow"],
  clay: ["snow", "ink", "sand"],
  fjord: ["snow", "ochre", "ink"],
  ink: ["ochre", "rose", "snow"],
  rose: ["plum", "snow", "ink"],
  ochre: ["ink", "teal", "snow"],
  plum: ["rose", "ochre", "snow"],
  snow: ["fjord", "clay", "ochre", "moss"],
  teal: ["snow", "ochre", "rose"],
};

/** An SVG document of 400 × 400; the same `id` always gives the same picture. */
export function productPicture(product: { id: string; kind: ProductKind; colour: string }): string {
  const chance = chanceFrom(product.id);
  const pen = createPen(chance);
  const [lit, shaded] = BACKDROPS[chance.pick(BEHIND[product.colour] ?? ["shell"])]!;
  const main = tone(product.colour as ColourName);
  const look: Look = {
    main,
    second: tone(chance.pick(BESIDE[product.colour] ?? (["snow"] as const))),
    backdrop: mix(lit, shaded, 0.5),
    wood: tone(chance.happens(0.6) ? "oak" : "walnut"),
    metal: tone("steel"),
    brass: tone("brass"),
    coal: tone("coal"),
    leaf: tone(chance.happens(0.7) ? "leaf" : "teal"),
    oak: tone("oak"),
    walnut: tone("walnut"),
    snow: tone("snow"),
    fjord: tone("fjord"),
    clay: tone("clay"),
    rose: tone("rose"),
    steel: tone("steel"),
    case: tone(chance.happens(0.5) ? "steel" : "brass"),
  };
  const hangs = product.kind === "pendant-lamp" || product.kind.endsWith("watch");
  const wall = box(0, 0, 400, 400, 0, pen.shade(lit, shaded));
  const decor = mix(main.light, lit, 0.62);
  const behind = chance.pick([
    circle(200, 190, 140, decor),
    path("M70 322V190C70 110 128 62 200 62S330 110 330 190V322Z", decor),
    oval(206, 196, 158, 118, decor, 'transform="rotate(-14 206 196)"'),
    path("M60 230C50 120 130 56 220 74S356 170 336 250 250 330 180 318 68 312 60 230Z", decor),
    "",
  ]);
  const floor = hangs ? "" : path("M0 308Q200 300 400 308V400H0Z", mix(shaded, "#ffffff", 0.34));
  const shadow = hangs ? "" : oval(200, 320, 150, 16, pen.glow("#3b3550", 0.34));
  return pen.sheet({ width: 400, height: 400 }, wall + behind + floor + shadow + DRAWINGS[product.kind](pen, look));
}
