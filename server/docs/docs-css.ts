// The one style sheet of the documentation.
export const DOCS_CSS = `
:root { color-scheme: light dark; --ink: #1c1f26; --soft: #5b6270; --line: #e2e5ea; --ground: #fff; --panel: #f6f7f9; --accent: #3b5bdb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --soft: #9aa2b1; --line: #2b303a; --ground: #14171c; --panel: #1b1f26; --accent: #8ea6ff; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 16px; }
body { margin: 0; display: grid; grid-template-columns: 256px minmax(0, 1fr); color: var(--ink); background: var(--ground);
  font: 15px/1.6 system-ui, sans-serif; }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 24px 16px; border-right: 1px solid var(--line); background: var(--panel); }
nav a { display: block; padding: 4px 8px; border-radius: 6px; color: var(--soft); text-decoration: none; }
nav a:hover, nav a:focus-visible { color: var(--ink); background: var(--line); }
nav { font-size: 14px; line-height: 20px; }
nav .home { color: var(--ink); font-weight: 600; margin-bottom: 8px; }
nav .group { display: block; margin-top: 8px; padding: 4px 8px; color: var(--soft); font-size: 12px; }
nav ul { list-style: none; margin: 0 0 8px; padding: 0 0 0 8px; }
nav li a { padding: 2px 8px; font-size: 13px; }
nav > a { color: var(--ink); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
main:focus-visible { outline: none; }
.skip { position: absolute; left: 8px; top: -48px; z-index: 1; padding: 8px 16px; border-radius: 6px; background: var(--ground); }
.skip:focus { top: 8px; }
h1 { margin: 0 0 16px; font-size: 28px; line-height: 40px; }
main { max-width: 960px; padding: 24px 32px 96px; }
a { color: var(--accent); }
h1 small, small { color: var(--soft); font-weight: 400; font-size: 12px; }
h2 { margin: 48px 0 0; font-size: 20px; padding-bottom: 8px; border-bottom: 1px solid var(--line); }
h3 { margin: 32px 0 8px; font-size: 16px; overflow-wrap: anywhere; }
h3 code { font-size: 15px; font-weight: 600; }
article > p { margin: 8px 0; }
article { scroll-margin-top: 16px; }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
.method { display: inline-block; min-width: 56px; padding: 2px 8px; border-radius: 4px; font: 600 11px/1.6 ui-monospace, monospace;
  text-align: center; color: var(--ground); background: var(--accent); }
.method.get { background: #1f7a4d; color: #fff; } .method.delete { background: #b3261e; color: #fff; }
.method.put, .method.patch { background: #8a5300; color: #fff; } .method.post { background: #3b5bdb; color: #fff; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th { text-align: left; color: var(--soft); font-weight: 500; }
th:first-child { width: 184px; } th:nth-child(2) { width: 168px; }
th, td { padding: 8px 16px 8px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.table { overflow-x: auto; }
dl { display: grid; grid-template-columns: 48px minmax(0, 1fr); gap: 4px 8px; margin: 12px 0; font-size: 14px; }
dt { font-weight: 600; } dd { margin: 0; }
main > p, main > ul, main > ol { max-width: 720px; }
h2 + pre, h2 + p { margin-top: 16px; }
pre { margin: 16px 0; padding: 12px 16px; overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--panel); }
pre code { overflow-wrap: normal; }
main img { display: block; width: 100%; max-width: 720px; padding: 8px; border-radius: 8px; background: #fff; }
nav a[aria-current] { color: var(--accent); font-weight: 600; }
@media (max-width: 720px) { body { display: block; } nav { position: static; height: auto; border: 0; border-bottom: 1px solid var(--line); }
  nav { padding: 16px; } nav ul { display: none; } nav ul.guides { display: block; } nav ul.guides li { display: inline-block; }
  th:first-child, th:nth-child(2) { width: auto; } nav a { display: inline-block; } main { padding: 16px; } }
`;
