// The catalogue of the demo newsroom: 120 invented articles in ten sections.
import type { SceneName } from "../pictures/cover.ts";
import { chanceFrom } from "../seeded.ts";
import { ARTICLES } from "./articles.ts";
import type { DemoItem } from "./item.ts";

const AUTHORS = [
  "Amara Osei",
  "Lukas Brandt",
  "Noor Haddad",
  "Freya Lund",
  "Tomás Rivera",
  "Hana Ito",
  "Callum Reid",
  "Inés Marchetti",
  "Ravi Menon",
  "Zofia Nowak",
  "Maja Eklund",
  "Theo Laurent",
] as const;
const FORMATS = ["report", "analysis", "interview", "explainer", "longread"] as const;
const HOUR_MS = 3_600_000;
const SPAN_HOURS = 240;
const BREAKING_HOURS = 6;

export interface DemoArticle extends DemoItem {
  attributes: { author: string; minutes: number; teaser: string; kicker: string; scene: SceneName };
}

/** All articles, published within the ten days before `nowMs`. */
export function newsCatalogue(nowMs: number): DemoArticle[] {
  return Object.entries(ARTICLES).flatMap(([section, articles]) => {
    const chance = chanceFrom(`${section} desk`);
    return articles.map(([title, teaser, kicker, topics, scene], index): DemoArticle => {
      const item_id = `${section}-${String(index + 1).padStart(2, "0")}`;
      const format = FORMATS[chance.weighted([5, 3, 2, 3, 2])]!;
      const ageHours = Math.floor(chance.share() * chance.share() * SPAN_HOURS);
      const tags = [...topics.split(" "), format];
      if (ageHours < BREAKING_HOURS && format === "report") tags.push("breaking");
      return {
        item_id,
        title,
        categories: [section],
        tags,
        available: true,
        image_url: `/demo/pictures/news/${item_id}.svg`,
        url: `/demo/news/?item=${item_id}`,
        published_at: new Date(nowMs - ageHours * HOUR_MS - chance.between(60_000, HOUR_MS)).toISOString(),
        attributes: {
          author: chance.pick(AUTHORS),
          minutes: format === "longread" ? chance.between(11, 22) : chance.between(2, 9),
          teaser,
          kicker,
          scene,
        },
      };
    });
  });
}
