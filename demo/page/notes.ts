// What a segment or a trigger means to the visitor, in his words. What changes nothing that he sees is not told.
import type { SiteName } from "./site.ts";

export interface News {
  title: string;
  /** By default the title of the item that it is about. */
  text?: string;
}

interface SiteNews {
  segments: Readonly<Record<string, News>>;
  triggers: Readonly<Record<string, News>>;
}

export const NEWS: Readonly<Record<SiteName, SiteNews>> = {
  shop: {
    segments: {
      bargain_hunter: { title: "You like a bargain", text: "Reduced things move up." },
      audiophile: { title: "You like good sound", text: "The shop turns to audio." },
      outdoor: { title: "You like it outside", text: "Bikes, tents and jackets move up." },
      bookworm: { title: "You like books", text: "The shop opens with them." },
      home_maker: { title: "You are making a home", text: "Chairs, lamps and pots move up." },
      premium_taste: { title: "You like the best of its kind", text: "Pictures grow." },
      returning_buyer: { title: "You are a regular", text: "New arrivals are yours a day early." },
      interested_buyer: { title: "Delivery is free", text: "On your cart, until tonight." },
    },
    triggers: {
      long_look: { title: "You took your time with it" },
      strong_interest: { title: "More like this moves up" },
      cart_reminder: { title: "Your cart is still here", text: "Nothing in it has been sold." },
      cart_hesitation: { title: "Taken out of your cart", text: "It stays on the shelf." },
    },
  },
  news: {
    segments: {
      science_reader: { title: "You read science", text: "The front page opens with it." },
      tech_reader: { title: "You read technology", text: "The front page opens with it." },
      climate_reader: { title: "You read about the climate", text: "The front page opens with it." },
      sport_fan: { title: "You follow sport", text: "The front page opens with it." },
      culture_reader: { title: "You read culture", text: "The front page opens with it." },
      deep_reader: { title: "You stay with long stories", text: "Pictures and letters grow." },
      headline_skimmer: { title: "You read headlines", text: "More of them fit on the page." },
    },
    triggers: {
      long_read: { title: "You stayed to the end" },
      hot_topic: { title: "More on this moves up" },
      subscribe_offer: { title: "You read a lot", text: "A subscription would pay for itself." },
    },
  },
};
