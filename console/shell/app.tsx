// The frame around the views: navigation, search, project, theme, messages.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiProblem, createApi, isUnanswered } from "../api/client.ts";
import { useRead } from "../api/use-read.ts";
import { Chip } from "../parts/chip.tsx";
import { Icon, Mark } from "../parts/icon.tsx";
import { adviceOn } from "../parts/state.tsx";
import { AuditView } from "../views/audit.tsx";
import { DeadLettersView } from "../views/dead-letters.tsx";
import { EventsView } from "../views/events.tsx";
import { ExperimentView } from "../views/experiment.tsx";
import { ExperimentsView } from "../views/experiments.tsx";
import { ItemView } from "../views/item.tsx";
import { ItemsView } from "../views/items.tsx";
import { KeysView } from "../views/keys.tsx";
import { MerchandisingView } from "../views/merchandising.tsx";
import { OverviewView } from "../views/overview.tsx";
import { PeopleView } from "../views/people.tsx";
import { PersonView } from "../views/person.tsx";
import { PrivacyView } from "../views/privacy.tsx";
import { ProgramView } from "../views/program.tsx";
import { SegmentView } from "../views/segment.tsx";
import { SegmentsView } from "../views/segments.tsx";
import { ModelsView } from "../views/models.tsx";
import { SlotsView } from "../views/slots.tsx";
import { ConsoleContext, linksOf, useConsole } from "./context.ts";
import { NotFound } from "./not-found.tsx";
import { go, useRoute, type Route } from "./route.ts";
import { useKeptScroll } from "./scroll.ts";
import { SearchPalette } from "./search.tsx";
import { StatsContext, useStatsReading } from "./stats.ts";
import { setTheme, useTheme } from "./theme.ts";
import { VIEWS } from "./views.ts";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: "bad" | undefined;
}

const MENU_ID = "menu";
/** From here on the sidebar stands beside the view, and nothing lies under it; `shell.css` has the same. */
const SIDEBAR_BESIDE = "(min-width: 861px)";
/** The first key of an open node logs its maker in while the page is open. */
const SESSION_EVERY_MS = 10_000;
const TOAST_MS = 4000;
const BAD_TOAST_MS = 9000;

export function App() {
  const route = useRoute();
  useKeptScroll(route);
  const [searching, setSearching] = useState(false);
  const [menuOpen, setMenuOpen] = useState(false);
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const toastCount = useRef(0);
  const main = useRef<HTMLElement>(null);

  const notify = useCallback((text: string, tone?: "bad"): void => {
    const id = ++toastCount.current;
    setToasts((shown) => [...shown.slice(-2), { id, text, tone }]);
  }, []);
  const drop = useCallback((id: number): void => setToasts((shown) => shown.filter((toast) => toast.id !== id)), []);
  const context = useMemo(
    () => ({ api: createApi(route.project), links: linksOf(route.project), notify }),
    [route.project, notify],
  );
  const stats = useStatsReading(context.api);
  useSearchKeys(() => setSearching(true));
  const menuButton = useRef<HTMLButtonElement>(null);
  /** Takes the focus as soon as no menu lies over it. */
  const next = useRef<{ readonly current: HTMLElement | null } | undefined>(undefined);
  const closeMenu = useCallback((): void => {
    next.current = menuButton;
    setMenuOpen(false);
  }, []);
  useOpenMenu(menuOpen, closeMenu);

  const address = addressOf(route);
  const viewTitle = VIEWS.find((view) => view.path === route.path[0])?.title ?? "Not found";
  const title = [viewTitle, ...route.path.slice(1).slice(-1)].reverse().join(" · ");
  useEffect(() => {
    document.title = `${title} · attune`;
  }, [title]);
  const entered = useRef(address);
  useLayoutEffect(() => {
    setMenuOpen(false);
    if (entered.current === address) return;
    entered.current = address;
    // The link that was followed may be gone with its view: whoever reads by ear or by keyboard goes on at the new one. Not
    // out of the list of projects, whose arrow keys change the view.
    if (!(document.activeElement instanceof HTMLSelectElement)) next.current = main;
  }, [address]);
  useLayoutEffect(() => {
    if (menuOpen) return;
    next.current?.current?.focus({ preventScroll: true });
    next.current = undefined;
  }, [address, menuOpen]);

  return (
    <ConsoleContext.Provider value={context}>
      <StatsContext.Provider value={stats}>
        <nav aria-label="Skip" inert={menuOpen}>
          <a
            class="skip btn"
            href={context.links.view(route.path)}
            onClick={(event) => {
              event.preventDefault();
              main.current?.focus();
            }}
          >
            Skip to the view
          </a>
        </nav>
        <div class="shell">
          {menuOpen ? (
            <button type="button" class="veil" aria-label="Close the menu" onClick={closeMenu} />
          ) : null}
          <Sidebar route={route} open={menuOpen} deadLetters={stats.data?.totals.dead_letters ?? 0} />
          <div inert={menuOpen}>
            <header class="topbar">
              <button
                ref={menuButton}
                type="button"
                class="btn quiet icon menu"
                aria-label="Menu"
                aria-expanded={menuOpen}
                aria-controls={MENU_ID}
                onClick={() => setMenuOpen(true)}
              >
                <Icon name="menu" />
              </button>
              <button
                type="button"
                class="search-open"
                aria-keyshortcuts="Control+K Meta+K /"
                onClick={() => setSearching(true)}
              >
                <Icon name="search" />{" "}
                <span class="cut">
                  Search<span class="long"> a person, an item, a segment</span>
                </span>{" "}
                <kbd aria-hidden="true">Ctrl K</kbd>
              </button>
              <div class="grow" />
              <ProjectSwitcher project={route.project} />
              <Who />
              <ThemeToggle />
            </header>
            <main ref={main} class="main" tabIndex={-1} key={address} aria-label={title}>
              {/* Always there: what comes into a live region is said, not what comes with one. */}
              <div role="status">
                {stats.error !== undefined && stats.data !== undefined ? <Stopped error={stats.error} /> : null}
              </div>
              <View route={route} />
            </main>
          </div>
        </div>
        {searching ? <SearchPalette onClose={() => setSearching(false)} /> : null}
        <div class="toasts" role="status" aria-live="polite">
          {toasts.map((toast) => (
            <ToastLine key={toast.id} toast={toast} onGone={drop} />
          ))}
        </div>
      </StatsContext.Provider>
    </ConsoleContext.Provider>
  );
}

/** It goes by itself, but not from under the pointer, nor with the focus. */
function ToastLine({ toast: { id, text, tone }, onGone }: { toast: Toast; onGone: (id: number) => void }) {
  const line = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const look = (): void => {
      if (line.current?.matches(":hover, :focus-within") !== true) onGone(id);
    };
    const timer = setInterval(look, tone === "bad" ? BAD_TOAST_MS : TOAST_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <div ref={line} class="toast" data-tone={tone}>
      <span>{text}</span>
      <button type="button" aria-label="Dismiss" onClick={() => onGone(id)}>
        <Icon name="close" />
      </button>
    </div>
  );
}

/** What a view is of; a bench's placements are faces of one view, which keeps the focus while one follows another. */
function addressOf({ project, path }: Route): string {
  const view = path[0] === "merchandising" ? path.slice(0, 1) : path;
  return [project, ...view].join("/");
}

/** On a phone the menu lies over the view: the focus goes into it, and Escape closes it. */
function useOpenMenu(isOpen: boolean, close: () => void): void {
  useEffect(() => {
    if (!isOpen) return undefined;
    const menu = document.getElementById(MENU_ID);
    (menu?.querySelector<HTMLElement>("[aria-current]") ?? menu?.querySelector("a"))?.focus();
    const pressed = (event: KeyboardEvent): void => {
      if (event.key === "Escape") close();
    };
    const beside = matchMedia(SIDEBAR_BESIDE);
    window.addEventListener("keydown", pressed);
    beside.addEventListener("change", close);
    // The page may have become wide before this was listened for.
    if (beside.matches) close();
    return () => {
      window.removeEventListener("keydown", pressed);
      beside.removeEventListener("change", close);
    };
  }, [isOpen, close]);
}

/** Why nothing new comes, above what is still shown. */
function Stopped({ error }: { error: unknown }) {
  const isLoggedOut = error instanceof ApiProblem && error.status === 401;
  return (
    <p class="banner">
      <Icon name="warning" />{" "}
      <span>
        {isLoggedOut
          ? "You are no longer logged in. What is shown is from before."
          : isUnanswered(error)
            ? "The node has stopped answering. What is shown is from before; it goes on by itself when it is back."
            : `The node does not tell how it is: ${adviceOn(error)} What is shown is from before.`}
      </span>
      {isLoggedOut ? (
        <button type="button" class="btn" onClick={() => location.reload()}>
          Log in again
        </button>
      ) : null}
    </p>
  );
}

function View({ route }: { route: Route }) {
  const [name, first, second, ...rest] = route.path;
  if (rest.length > 0) return <NotFound />;
  if (name === "people" && second !== undefined && (first === "users" || first === "visitors")) {
    return <PersonView person={first === "users" ? { user_id: second } : { anonymous_id: second }} />;
  }
  if (second !== undefined) return <NotFound />;
  if (name === "segments" && first !== undefined) return <SegmentView name={first} />;
  if (name === "experiments" && first !== undefined) return <ExperimentView name={first} />;
  if (name === "items" && first !== undefined) return <ItemView id={first} />;
  if (name === "merchandising") return <MerchandisingView placement={first} />;
  if (first !== undefined) return <NotFound />;
  switch (name) {
    case "overview":
      return <OverviewView />;
    case "events":
      return <EventsView query={route.query} />;
    case "people":
      return <PeopleView query={route.query} />;
    case "segments":
      return <SegmentsView query={route.query} />;
    case "slots":
      return <SlotsView />;
    case "models":
      return <ModelsView />;
    case "experiments":
      return <ExperimentsView />;
    case "items":
      return <ItemsView query={route.query} />;
    case "program":
      return <ProgramView query={route.query} />;
    case "keys":
      return <KeysView />;
    case "privacy":
      return <PrivacyView query={route.query} />;
    case "audit":
      return <AuditView query={route.query} />;
    case "dead-letters":
      return <DeadLettersView query={route.query} />;
    default:
      return <NotFound />;
  }
}

function Sidebar({ route, open, deadLetters }: { route: Route; open: boolean; deadLetters: number }) {
  const links = linksOf(route.project);
  return (
    <aside id={MENU_ID} class="sidebar" data-open={open} aria-label="Console">
      <a class="brand" href={links.view(["overview"])}>
        <Mark /> attune
      </a>
      <nav class="nav" aria-label="Views">
        {VIEWS.map((view) => (
          <a
            key={view.path}
            href={links.view([view.path])}
            aria-current={route.path[0] === view.path ? "page" : undefined}
          >
            <Icon name={view.icon} /> {view.title}
            {view.path === "dead-letters" && deadLetters > 0 ? (
              <span class="count" title={`${deadLetters} waiting`}>
                {deadLetters > 999 ? "999+" : deadLetters}
              </span>
            ) : null}
          </a>
        ))}
      </nav>
      <div class="sidebar-foot">
        <a href="/docs/">Docs</a>
        <a href="/metrics">Prometheus metrics</a>
      </div>
    </aside>
  );
}

function ProjectSwitcher({ project }: { project: string }) {
  const projects = useRead("projects", () => createApi(project).projects());
  const names = projects.data ?? [];
  const all = names.includes(project) ? names : [project, ...names];
  return (
    <select
      class="field"
      aria-label="Project"
      value={project}
      onChange={(event) => go(linksOf(event.currentTarget.value).view(["overview"]))}
    >
      {all.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Who may only read is told before what they write is refused. Only who has logged in can log out. */
function Who() {
  const { api, notify } = useConsole();
  const session = useRead("session", () => api.session(), SESSION_EVERY_MS);
  if (session.data?.kind !== "session") return null;
  const logOut = (): void => {
    api.logOut().then(
      (url) => (url === undefined ? location.reload() : location.assign(url)),
      (error: unknown) => notify(`You are still logged in. ${adviceOn(error)}`, "bad"),
    );
  };
  return (
    <>
      {session.data.role === "read" ? (
        <span class="wide-inline">
          <Chip title="You see everything that a read key may; whatever changes something is refused.">read only</Chip>
        </span>
      ) : null}
      <button type="button" class="btn quiet" onClick={logOut}>
        Log out
      </button>
    </>
  );
}

function ThemeToggle() {
  const { shown } = useTheme();
  const next = shown === "dark" ? "light" : "dark";
  return (
    <button
      type="button"
      class="btn quiet icon"
      aria-label={`Use the ${next} theme`}
      title={`Use the ${next} theme`}
      onClick={() => setTheme(next)}
    >
      <Icon name={shown === "dark" ? "sun" : "moon"} />
    </button>
  );
}

/** `Ctrl K`, `⌘ K`, and `/` where nobody is writing. */
function useSearchKeys(onSearch: () => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const writing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select") !== null;
      const asked =
        ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") || (event.key === "/" && !writing);
      if (!asked || document.querySelector("dialog[open]") !== null) return;
      event.preventDefault();
      onSearch();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}
