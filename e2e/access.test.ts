// The console's door, keys and trail, in real Chromium: a key is typed once, or an identity provider asked; no script can
// read what the browser keeps.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildRoom } from "../scripts/build.ts";
import { CLIENT, startProvider, type TestProvider } from "../server/access/testing/provider.ts";
import { freePort } from "../server/testing/free-port.ts";
import { ask, startNode, type TestNode } from "../server/http/testing.ts";
import { browserMissing, launchBrowser, withPage, type Browser } from "./browser.ts";

const ROOT = resolve(import.meta.dirname, "..");

describe("the console of a node with keys", { skip: browserMissing() ?? false }, () => {
  let node: TestNode;
  let browser: Browser;
  let admin = "";
  before(async () => {
    await buildRoom("console");
    node = await startNode({ folders: { console: join(ROOT, "dist/console") } });
    admin = node.keys.issue({ project: "default", role: "admin", name: "ops" }).key;
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await node?.close();
  });

  test("asks for a key, makes one, shows it once, rotates and revokes, and shows the trail of it", async () => {
    const axe = await readFile(join(ROOT, "node_modules/axe-core/axe.min.js"), "utf8");
    const expectedErrors = /401|ERR_FAILED/;
    await withPage(browser, { viewport: "desktop", reducedMotion: "reduce", expectedErrors }, async (page) => {
      const healthy = async (): Promise<void> => {
        await page.evaluate(axe);
        const found = await page.evaluate("axe.run().then(({ violations }) => violations.map(({ id }) => id))");
        assert.deepEqual(found, []);
      };
      await page.goto(`${node.url}/console/#/default/keys`);
      await page.getByLabel("Key").fill("sk_wrong");
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByText("unknown, revoked or expired").waitFor();
      await healthy();
      await page.getByLabel("Key").fill(admin);
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByRole("heading", { name: "Keys", exact: true }).waitFor();
      assert.equal(await page.evaluate("document.cookie"), "");
      const [cookie] = await page.context().cookies();
      assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, "Lax"]);

      await page.getByLabel("Name").fill("the shop");
      await page.getByLabel("Origins").fill("https://shop.example");
      // One key: a second one would be shown in the first one's place, which nobody would have seen.
      await page.getByRole("button", { name: "Make the key" }).dblclick();
      const shown = page.locator("code", { hasText: /^pk_/ });
      const key = (await shown.textContent())!;
      const headers = { authorization: `Bearer ${key}` };
      assert.equal((await ask(node, "GET /v1/trending", undefined, { headers })).status, 200);
      await healthy();
      await page.getByRole("button", { name: "I have it" }).click();
      assert.equal(await page.getByText(key).count(), 0);

      const row = page.getByRole("row", { name: /the shop/ });
      await row.getByRole("button", { name: "Rotate" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
      await row.getByText(/ends in 2[34] h/).waitFor();
      await page.getByRole("button", { name: "I have it" }).click();
      await row.first().getByRole("button", { name: "Revoke" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
      await page.getByRole("cell", { name: "revoked" }).waitFor();

      await page.goto(`${node.url}/console/#/default/audit`);
      await page.getByText("POST /v1/keys/{key_id}/rotate").waitFor();
      await page.getByText("DELETE /v1/keys/{key_id}").waitFor();
      assert.equal(await page.getByText("read only", { exact: true }).count(), 0);
      await healthy();
      await page.route("**/v1/session", (route) => (route.request().method() === "DELETE" ? route.abort() : route.continue()));
      await page.getByRole("button", { name: "Log out" }).click();
      await page.getByText("You are still logged in. The node does not answer.").waitFor();
      await page.unrouteAll();
      await page.getByRole("button", { name: "Log out" }).click();
      await page.getByLabel("Key").waitFor();
    });
  });

  test("who may only read is told so on every view, and offered nothing that is sure to be refused", async () => {
    const { key } = node.keys.issue({ project: "default", role: "read", name: "the analyst" });
    await withPage(browser, { viewport: "desktop", expectedErrors: /401|403/ }, async (page) => {
      await page.goto(`${node.url}/console/#/default/keys`);
      await page.getByLabel("Key").fill(key);
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByText("read only", { exact: true }).waitFor();
      await page.getByText("The keys could not be read").waitFor();
      assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0);
      assert.equal(await page.getByRole("button", { name: "Make the key" }).count(), 0);
    });
  });
});

describe("the console of an open node", { skip: browserMissing() ?? false }, () => {
  test("the first key made in it closes the node; the console goes on with it until it is revoked", async () => {
    await buildRoom("console");
    const node = await startNode({ folders: { console: join(ROOT, "dist/console") } });
    const browser = await launchBrowser();
    try {
      await withPage(browser, { viewport: "phone", expectedErrors: /401/ }, async (page) => {
        await page.goto(`${node.url}/console/#/default/keys`);
        await page.getByText("There is no key").waitFor();
        await page.getByLabel("Name").fill("the operators");
        await page.getByRole("button", { name: "Make the key" }).click();
        const key = (await page.locator("code", { hasText: /^sk_/ }).textContent())!;
        const row = page.getByRole("row", { name: /the operators/ });
        await row.waitFor();
        assert.equal((await ask(node, "GET /v1/keys")).status, 401);
        await page.getByRole("button", { name: "Log out" }).waitFor();

        const headers = { authorization: `Bearer ${key}` };
        const { keys } = (await ask(node, "GET /v1/keys", undefined, { headers })).json;
        assert.equal((await ask(node, `DELETE /v1/keys/${keys[0].key_id}`, undefined, { headers })).status, 204);
        await page.getByText("You are no longer logged in. What is shown is from before.").waitFor();
        await page.getByRole("button", { name: "Log in again" }).click();
        await page.getByLabel("Key").waitFor();
      });
    } finally {
      await browser.close();
      await node.close();
    }
  });
});

describe("the console of a node with an identity provider", { skip: browserMissing() ?? false }, () => {
  let provider: TestProvider;
  let node: TestNode;
  let browser: Browser;
  before(async () => {
    await buildRoom("console");
    provider = await startProvider();
    provider.groups.set("ada", ["owners"]);
    const port = await freePort();
    const publicUrl = `http://127.0.0.1:${port}`;
    provider.allow(publicUrl);
    const oidc = { ...CLIENT, issuer: provider.issuer, publicUrl, name: "Acme", roles: { owners: "admin" } as const };
    node = await startNode({ config: { port, oidc }, folders: { console: join(ROOT, "dist/console") } });
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await node?.close();
    await provider?.close();
  });

  test("sends people there and lets in whose groups have a role; logging out ends both sessions", async () => {
    const axe = await readFile(join(ROOT, "node_modules/axe-core/axe.min.js"), "utf8");
    const expectedErrors = /401|ERR_FAILED/;
    await withPage(browser, { viewport: "desktop", reducedMotion: "reduce", expectedErrors }, async (page) => {
      const asLogin = async (login: string): Promise<void> => {
        await page.getByRole("link", { name: "Log in with Acme" }).click();
        await page.getByPlaceholder("Enter any login").fill(login);
        await page.getByPlaceholder("and password").fill("any");
        await page.getByRole("button", { name: "Sign-in" }).click();
        await page.getByRole("button", { name: "Continue" }).click();
      };
      const logOut = async (): Promise<void> => {
        await page.getByRole("button", { name: "Log out" }).click();
        await page.getByRole("button", { name: "Yes, sign me out" }).click();
        await page.getByRole("link", { name: "Log in with Acme" }).waitFor();
      };
      // The provider's own pages want a font from elsewhere.
      await page.route(/^https:/, (route) => route.fulfill({ body: "" }));
      await page.goto(`${node.url}/console/`);
      await page.getByRole("link", { name: "Log in with Acme" }).waitFor();
      await page.evaluate(axe);
      assert.deepEqual(await page.evaluate("axe.run().then(({ violations }) => violations.map(({ id }) => id))"), []);
      await asLogin("ada");
      await page.getByRole("heading", { name: "Overview", exact: true }).waitFor();
      assert.equal(await page.evaluate("document.cookie"), "");
      const cookies = await page.context().cookies(node.url);
      const session = cookies.find(({ name }) => name === "attune_session");
      assert.deepEqual([session?.httpOnly, session?.sameSite], [true, "Lax"]);
      await logOut();

      await asLogin("ivan");
      await page.getByText("none of your groups has a role here").waitFor();
    });
  });
});
