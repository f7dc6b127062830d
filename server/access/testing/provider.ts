// A real OpenID Connect provider on loopback for tests, with its own pages, and a browser's half of a login by hand.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

export interface TestProvider {
  readonly issuer: string;
  /** Requests that it answered, by path. */
  readonly paths: string[];
  /** Groups by login; whoever is not in it has none. */
  readonly groups: Map<string, unknown>;
  /** Allows a node under this address to send people here. */
  allow(publicUrl: string): void;
  close(): Promise<void>;
}

export const CLIENT = { clientId: "attune", clientSecret: "a secret of at least 32 characters, for tests" };

/** @param port - of one that ran before, to come back as the same issuer. */
export async function startProvider(port = 0): Promise<TestProvider> {
  const paths: string[] = [];
  const groups = new Map<string, unknown>();
  let answer: ReturnType<Provider["callback"]> | undefined;
  const server = createServer((request, response) => {
    paths.push((request.url ?? "").split("?", 1)[0]!);
    if (answer === undefined) response.writeHead(503).end();
    else answer(request, response);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const allow = (publicUrl: string): void => {
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: CLIENT.clientId,
          client_secret: CLIENT.clientSecret,
          redirect_uris: [`${publicUrl}/v1/session/oidc/callback`],
          post_logout_redirect_uris: [`${publicUrl}/console/`],
        },
      ],
      findAccount: (_context: unknown, sub: string) => ({
        accountId: sub,
        claims: () => ({ sub, ...(groups.has(sub) && { groups: groups.get(sub) }) }),
      }),
      claims: { openid: ["sub"], profile: ["groups"], email: ["email"] },
      pkce: { required: () => true },
      cookies: { keys: ["for tests"] },
    });
    answer = provider.callback();
  };
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { issuer, paths, groups, allow, close };
}

/** A browser without scripts: follows redirects, keeps cookies for each origin, fills in the provider's forms. */
export class FormBrowser {
  /** Redirects to this path are not followed. */
  stopBefore = "/console/";
  readonly #cookies = new Map<string, Map<string, string>>();

  cookie(origin: string, name: string): string | undefined {
    return this.#cookies.get(origin)?.get(name);
  }

  /** Goes where `url` and its redirects lead, until a page that is not the provider's; `login` is typed where it is asked for. */
  async logIn(url: string, login: string): Promise<{ url: string; response: Response }> {
    let at = await this.go(url);
    for (let forms = 0; forms < 4; forms++) {
      const html = await at.response.clone().text();
      const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1];
      const prompt = /name="prompt" value="(\w+)"/.exec(html)?.[1];
      if (action === undefined || prompt === undefined) return at;
      at = await this.go(new URL(action, at.url).href, new URLSearchParams({ prompt, login, password: "any" }));
    }
    assert.fail(`the provider asks again and again, last at ${at.url}`);
  }

  async go(url: string, form?: URLSearchParams): Promise<{ url: string; response: Response }> {
    let [next, body] = [url, form];
    for (let hops = 0; hops < 20; hops++) {
      const { origin } = new URL(next);
      const jar = this.#cookies.get(origin) ?? new Map<string, string>();
      this.#cookies.set(origin, jar);
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const response: Response = await fetch(next, {
        method: body === undefined ? "GET" : "POST",
        redirect: "manual",
        headers: { cookie },
        ...(body !== undefined && { body }),
      });
      for (const line of response.headers.getSetCookie()) {
        const [name, value] = line.split(";", 1)[0]!.split("=", 2) as [string, string];
        if (value === "") jar.delete(name);
        else jar.set(name, value);
      }
      const location = response.headers.get("location");
      if (location === null) return { url: next, response };
      [next, body] = [new URL(location, next).href, undefined];
      if (new URL(next).pathname === this.stopBefore) return { url: next, response };
    }
    assert.fail(`too many redirects, last to ${next}`);
  }
}
