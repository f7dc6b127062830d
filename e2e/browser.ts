// Real Chromium for every test that needs a page: Debian's, driven by playwright-core.
import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContext, type Page, type Route } from "playwright-core";

export type { Browser, BrowserContext, Page, Route };

const EXECUTABLE = process.env["ATTUNE_CHROMIUM"] ?? "/usr/bin/chromium";

/** No GPU, no sandbox (tests run as root in CI), and no request of Chromium's own. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const VIEWPORTS = {
  desktop: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
} as const;

/** Why no browser test can run here; undefined where Chromium is installed. For a test's `skip` option. */
export function browserMissing(): string | undefined {
  if (existsSync(EXECUTABLE)) return undefined;
  return `no Chromium at ${EXECUTABLE} (apt-get install chromium, or set ATTUNE_CHROMIUM)`;
}

/** Starts a headless Chromium; the caller closes it. */
export function launchBrowser(extraArguments: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: [...ARGUMENTS, ...extraArguments], timeout: 30_000 });
}

export interface PageOptions {
  viewport?: keyof typeof VIEWPORTS;
  colorScheme?: "light" | "dark";
  reducedMotion?: "reduce" | "no-preference";
  /** Runs in each page before its own scripts. */
  initScript?: () => void;
  /** Console errors that the test expects, e.g. the failed requests of an offline page. */
  expectedErrors?: RegExp;
}

/** A fresh profile (own storage); the caller closes it. */
export function newContext(browser: Browser, options: PageOptions = {}): Promise<BrowserContext> {
  const viewport = options.viewport ?? "desktop";
  return browser.newContext({
    viewport: VIEWPORTS[viewport],
    colorScheme: options.colorScheme ?? "light",
    reducedMotion: options.reducedMotion ?? "no-preference",
    ...(viewport === "phone" ? { isMobile: true, hasTouch: true, deviceScaleFactor: 2 } : {}),
  });
}

/** Runs `body` on one page of a fresh profile; fails on an error that the page threw or logged. */
export async function withPage(
  browser: Browser,
  options: PageOptions,
  body: (page: Page, context: BrowserContext) => Promise<void>,
): Promise<void> {
  const context = await newContext(browser, options);
  const errors: string[] = [];
  try {
    if (options.initScript) await context.addInitScript(options.initScript);
    context.on("page", (page) => {
      page.on("pageerror", (error) => errors.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error" && !options.expectedErrors?.test(message.text())) errors.push(message.text());
      });
    });
    await body(await context.newPage(), context);
  } finally {
    await context.close();
  }
  if (errors.length > 0) throw new Error(`the page reported errors:\n${errors.join("\n")}`);
}
