// The catalogue of the demo shop: 336 products in twelve categories, made from a few words per kind and a seed.
import type { ProductKind } from "../pictures/product.ts";
import { chanceFrom } from "../seeded.ts";
import type { DemoItem } from "./item.ts";

interface KindOfProduct {
  kind: ProductKind;
  count: number;
  noun: string;
  price: readonly [number, number];
  materials: readonly string[];
}

interface Department {
  name: string;
  makers: readonly string[];
  kinds: readonly KindOfProduct[];
}

const COLOURS = ["sand", "moss", "clay", "fjord", "ink", "rose", "ochre", "plum", "snow", "teal"] as const;
const MOODS = ["calm", "bold", "playful", "classic"] as const;
const NEW_DAYS = 14;
const DAY_MS = 86_400_000;
const SEED = 20_260_101;

const kind = (
  name: ProductKind,
  count: number,
  noun: string,
  low: number,
  high: number,
  materials: string,
): KindOfProduct => ({ kind: name, count, noun, price: [low, high], materials: materials.split(" ") });

const DEPARTMENTS: readonly Department[] = [
  {
    name: "chairs",
    makers: ["Alvik", "Torsund", "Hemsedal"],
    kinds: [
      kind("armchair", 9, "armchair", 289, 890, "wool linen leather"),
      kind("dining-chair", 9, "dining chair", 89, 260, "oak ash walnut"),
      kind("stool", 5, "stool", 59, 140, "oak walnut steel"),
      kind("sofa", 5, "two-seat sofa", 690, 1690, "wool linen"),
    ],
  },
  {
    name: "lamps",
    makers: ["Solberg", "Lysne", "Ravn"],
    kinds: [
      kind("pendant-lamp", 10, "pendant", 79, 320, "paper brass glass"),
      kind("table-lamp", 10, "table lamp", 49, 210, "ceramic brass linen"),
      kind("floor-lamp", 8, "floor lamp", 129, 420, "oak steel linen"),
    ],
  },
  {
    name: "kitchen",
    makers: ["Fjell & Søn", "Kopp", "Marit"],
    kinds: [
      kind("mug", 9, "mug", 12, 34, "stoneware porcelain"),
      kind("teapot", 6, "teapot", 39, 98, "stoneware iron"),
      kind("bowl", 7, "bowl", 18, 72, "stoneware porcelain"),
      kind("carafe", 6, "carafe", 29, 69, "glass cork"),
    ],
  },
  {
    name: "shoes",
    makers: ["Strand", "Løype", "Vidda"],
    kinds: [
      kind("sneaker", 16, "sneaker", 69, 180, "canvas suede recycled"),
      kind("boot", 12, "boot", 119, 280, "leather suede recycled"),
    ],
  },
  {
    name: "jackets",
    makers: ["Nordvær", "Skarv", "Ullmark"],
    kinds: [
      kind("parka", 9, "parka", 189, 480, "down cotton recycled"),
      kind("rain-jacket", 9, "rain jacket", 99, 260, "recycled cotton"),
      kind("jumper", 10, "jumper", 69, 190, "wool merino cotton"),
    ],
  },
  {
    name: "audio",
    makers: ["Klang", "Tone Ø", "Resonans"],
    kinds: [
      kind("headphones", 9, "headphones", 99, 420, "leather aluminium"),
      kind("earbuds", 5, "earbuds", 59, 240, "recycled aluminium"),
      kind("speaker", 7, "speaker", 89, 690, "wool walnut aluminium"),
      kind("turntable", 4, "turntable", 249, 990, "walnut oak"),
      kind("radio", 3, "kitchen radio", 79, 189, "walnut recycled"),
    ],
  },
  {
    name: "plants",
    makers: ["Spire", "Grønn", "Vekst"],
    kinds: [
      kind("monstera", 6, "monstera", 24, 89, "terracotta ceramic"),
      kind("cactus", 6, "cactus", 14, 49, "terracotta ceramic"),
      kind("palm", 5, "agave", 29, 119, "terracotta ceramic"),
      kind("rubber-plant", 5, "rubber plant", 22, 79, "ceramic"),
      kind("snake-plant", 6, "snake plant", 19, 69, "ceramic terracotta"),
    ],
  },
  {
    name: "books",
    makers: ["Tundra Press", "Blå Forlag", "Ishavet"],
    kinds: [
      kind("novel", 12, "novel", 14, 28, "hardback paperback"),
      kind("essays", 7, "essays", 16, 32, "hardback paperback"),
      kind("cookbook", 5, "cookbook", 24, 42, "hardback"),
      kind("box-set", 4, "box set", 49, 96, "hardback"),
    ],
  },
  {
    name: "bikes",
    makers: ["Hjul", "Trø", "Kilo"],
    kinds: [
      kind("city-bike", 11, "city bike", 490, 1290, "steel aluminium"),
      kind("road-bike", 11, "road bike", 890, 2390, "carbon aluminium steel"),
      kind("helmet", 6, "helmet", 49, 160, "recycled cork"),
    ],
  },
  {
    name: "camping",
    makers: ["Villmark", "Lavvo", "Bål"],
    kinds: [
      kind("tent", 9, "tent", 179, 690, "canvas recycled"),
      kind("lantern", 6, "lantern", 29, 98, "steel brass"),
      kind("thermos", 6, "thermos", 24, 59, "steel"),
      kind("camp-chair", 7, "camp chair", 39, 119, "canvas oak"),
    ],
  },
  {
    name: "bags",
    makers: ["Sekk", "Havn", "Postmark"],
    kinds: [
      kind("backpack", 11, "backpack", 79, 220, "canvas recycled leather"),
      kind("tote", 10, "tote", 29, 98, "canvas cotton"),
      kind("weekender", 7, "weekender", 119, 320, "canvas leather"),
    ],
  },
  {
    name: "watches",
    makers: ["Døgn", "Urverk", "Tidevann"],
    kinds: [
      kind("watch", 16, "watch", 89, 540, "leather steel"),
      kind("square-watch", 12, "square watch", 99, 480, "leather steel recycled"),
    ],
  },
];

const SERIES = [
  "Birk",
  "Dalen",
  "Eira",
  "Flo",
  "Grane",
  "Hav",
  "Iver",
  "Juni",
  "Kvist",
  "Lind",
  "Myr",
  "Nes",
  "Odda",
  "Pil",
  "Rim",
  "Sund",
  "Tind",
  "Ulv",
  "Vik",
  "Ylva",
  "Ask",
  "Brim",
  "Elv",
  "Frost",
  "Gry",
  "Holm",
  "Lo",
  "Måne",
] as const;

const BOOKS = [
  "The Salt Road",
  "A House of Snow",
  "Letters to the Tide",
  "The Cartographer's Daughter",
  "Winter Is a Verb",
  "The Quiet Engine",
  "North of Everything",
  "The Orchard Keepers",
  "Small Hours, Long Light",
  "What the Ferry Carried",
  "The Glass Fjord",
  "Twelve Kinds of Rain",
  "On Walking Slowly",
  "The Uses of Silence",
  "Notes from a Cold Desk",
  "Attention, Please",
  "How Islands Think",
  "In Praise of Maps",
  "The Honest Object",
  "Fire, Salt, Butter",
  "Bread for Short Days",
  "The Smokehouse Table",
  "Soup Season",
  "Wild Berries, Warm Kitchens",
  "The Archipelago Quartet",
  "Four Seasons of Crime",
  "The Lighthouse Trilogy & Tales",
  "Collected Northern Stories",
] as const;
const AUTHORS = [
  "Ida Holm",
  "Jonas Vale",
  "Mira Askeland",
  "Per Lindqvist",
  "Sunniva Dahl",
  "Elias Thorne",
  "Karin Moe",
] as const;

const saleOf = (price: number): number => (price < 40 ? Math.round(price) : Math.round(price / 5) * 5 - 1);
const priceFor = (low: number, high: number, share: number): number => {
  const raw = low + (high - low) * share * share;
  return raw < 40 ? Math.round(raw) : Math.round(raw / 10) * 10 - 1;
};

/** All products; the same on every machine but for `published_at`, which counts back from `nowMs`. */
export function shopCatalogue(nowMs: number): DemoItem[] {
  return DEPARTMENTS.flatMap((department) => {
    const chance = chanceFrom(`${department.name}${SEED}`);
    let serial = 0;
    return department.kinds.flatMap((made) =>
      Array.from({ length: made.count }, (): DemoItem => {
        const number = serial++;
        const item_id = `${department.name}-${String(number + 1).padStart(2, "0")}`;
        const colour = COLOURS[(number * 7 + chance.between(0, 2)) % COLOURS.length]!;
        const material = chance.pick(made.materials);
        const maker = chance.pick(department.makers);
        const worth = chance.share();
        const full = priceFor(made.price[0], made.price[1], worth);
        const sale = chance.happens(0.2);
        const price = sale ? saleOf(full * chance.pick([0.6, 0.7, 0.75, 0.8])) : full;
        const ageDays = chance.between(0, 99) < 14 ? chance.between(0, NEW_DAYS - 1) : chance.between(NEW_DAYS, 400);
        const written = department.name === "books";
        const title = written
          ? BOOKS[number]!
          : `${SERIES[(number * 5 + department.name.length) % SERIES.length]!} ${made.noun}, ${colour}`;
        const tags = [made.kind, material, colour, chance.pick(MOODS)];
        if (sale) tags.push("sale");
        if (ageDays < NEW_DAYS) tags.push("new");
        if (worth > 0.75) tags.push("premium");
        return {
          item_id,
          title,
          categories: [department.name],
          tags,
          price,
          available: true,
          image_url: `/demo/pictures/shop/${item_id}.svg`,
          url: `/demo/?item=${item_id}`,
          published_at: new Date(nowMs - ageDays * DAY_MS - chance.between(0, DAY_MS)).toISOString(),
          attributes: {
            kind: made.kind,
            colour,
            material,
            maker: written ? chance.pick(AUTHORS) : maker,
            rating: 3.6 + chance.between(0, 13) / 10,
            reviews: chance.between(4, 420),
            ...(sale ? { was_price: full } : {}),
          },
        };
      }),
    );
  });
}
