// The frame of every page under `/docs/`: readable without scripts, light and dark.

/** One page of the documentation. `nav` and `main` are HTML. */
export function docsPage(page: { title: string; nav: string; main: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(page.title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/docs.css">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<nav aria-label="Sections">
${page.nav}
</nav>
<main id="content" tabindex="-1">
${page.main}
</main>
</body>
</html>
`;
}

/** A table in a box of its own, where a phone and the keyboard can scroll it. `label` is plain text, `table` HTML. */
export function scrollingTable(label: string, table: string): string {
  return `<div class="table" role="group" aria-label="${escapeHtml(label)}" tabindex="0">${table}</div>`;
}

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
