// The operator's window. It speaks only the public HTTP interface; every view has an address (shell/route.ts).
import { render } from "preact";
import "./style/console.css";
import { Gate } from "./shell/gate.tsx";
import { routeHash } from "./shell/route.ts";
import { applyTheme } from "./shell/theme.ts";

/** `/console/segments` without a hash is a link that somebody typed: the server answers with this page all the same. */
const typedPath = location.pathname.replace(/^\/console\/?/, "").replace(/\/$/, "");
if (typedPath !== "" && location.hash === "") {
  history.replaceState(null, "", `/console/${routeHash("default", typedPath.split("/").map(decodeURIComponent))}`);
}
applyTheme();
render(<Gate />, document.getElementById("app")!);
