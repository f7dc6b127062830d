// The console's own line icons: 16 by 16, drawn with the text's colour, never the only name of a thing.
const PATHS = {
  overview: "M2 13.5h12M4 11V8M8 11V3.5M12 11V6",
  events: "M1.5 8h3l2-5 3 10 2-5h3",
  person: "M8 8a2.75 2.75 0 1 0 0-5.5A2.75 2.75 0 0 0 8 8ZM2.75 14c.5-2.6 2.6-4 5.25-4s4.75 1.4 5.25 4",
  segments: "M6 10.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM10 13.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z",
  models: "M2 13.5V9M6 13.5V5M10 13.5V7.5M14 13.5V2.5",
  slots: "M2 2.5h12v5H2v-5ZM2 10.5h5v3H2v-3ZM10 10.5h4v3h-4v-3Z",
  experiments: "M6 2h4M6.75 2v4.5L2.75 13a.75.75 0 0 0 .65 1h9.2a.75.75 0 0 0 .65-1l-4-6.5V2M5 10h6",
  merchandising: "M2 4.5h6.5M12 4.5h2M2 11.5h2M7.5 11.5H14M10.25 6.25a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5ZM5.75 13.25a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5Z",
  items: "M2.5 5 8 2l5.5 3v6L8 14l-5.5-3V5Zm0 0L8 8m0 0 5.5-3M8 8v6",
  program: "M5.5 4 2 8l3.5 4M10.5 4 14 8l-3.5 4",
  dead: "M2 9h3.5l1 2h3l1-2H14M2 9l2-6h8l2 6v4.5H2V9Z",
  key: "M9.5 8.5a3.5 3.5 0 1 0-2-2L2 12v2h2.5v-1.5H6V11h1.5l2-2.5ZM11 5h.01",
  privacy: "M8 1.5 2.75 3.5v4c0 3.5 2.2 5.75 5.25 7 3.05-1.25 5.25-3.5 5.25-7v-4L8 1.5ZM5.75 8l1.75 1.75L10.5 6.5",
  audit: "M4 1.5h6l2.5 2.5V14.5H4v-13ZM6 6h4M6 8.5h4M6 11h3",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14",
  menu: "M2 4.5h12M2 8h12M2 11.5h12",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.85.85M11.75 11.75l.85.85M12.6 3.4l-.85.85M4.25 11.75l-.85.85",
  moon: "M13.5 9.5A5.75 5.75 0 0 1 6.5 2.5a5.75 5.75 0 1 0 7 7Z",
  pause: "M5.5 3v10M10.5 3v10",
  play: "M4.5 2.5v11l8.5-5.5-8.5-5.5Z",
  warning: "M8 2 1.5 13.5h13L8 2Zm0 4.5v3.2m0 1.8v.1",
  check: "m3 8.5 3.5 3.5L13 4.5",
  close: "m4 4 8 8m0-8-8 8",
  retry: "M13.5 8A5.5 5.5 0 1 1 11.6 3.8M13.5 2v3.2h-3.2",
  edit: "m3 13 .6-2.8L10.8 3l2.2 2.2-7.2 7.2L3 13Z",
  right: "m6 3.5 4.5 4.5L6 12.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: three bars that tune in to one level. */
export function Mark() {
  return (
    <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
      <rect width="20" height="20" rx="5" fill="currentColor" />
      <path d="M5.5 12.5v-3M10 15V5M14.5 11.5v-3" stroke="var(--on-accent)" stroke-width="2" stroke-linecap="round" />
    </svg>
  );
}
