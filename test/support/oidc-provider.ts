/** A real OpenID provider on this machine, and somebody who logs in there with a browser of few means. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import Provider from "oidc-provider";

export interface OidcServer {
  readonly issuer: string;
  /** By login name; for a test to change. */
  readonly people: Map<string, Readonly<Record<string, unknown>>>;
  /** Logs in by its forms and gives the address to which it sends the browser back, which nobody has opened yet. */
  logIn(authorizationUrl: string, name: string): Promise<string>;
  stop(): Promise<void>;
}

export interface OidcClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUrl: string;
  /** Default: 127.0.0.1. For a browser, localhost is another site. */
  readonly host?: "127.0.0.1" | "localhost";
  /** Default: in the ID token. */
  readonly groupsIn?: "id token" | "userinfo";
}

export async function startOidcProvider({
  clientId,
  clientSecret,
  redirectUrl,
  host = "127.0.0.1",
  groupsIn = "id token",
}: OidcClient): Promise<OidcServer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://${host}:${String((server.address() as AddressInfo).port)}`;
  const people = new Map<string, Readonly<Record<string, unknown>>>();
  const provider = new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUrl] }],
    pkce: { required: () => true },
    claims: { openid: ["sub"], profile: ["preferred_username", "groups"] },
    conformIdTokenClaims: groupsIn === "userinfo",
    cookies: { keys: ["of this test"] },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people.get(id) }) }),
  });
  const answer = provider.callback();
  server.on("request", (request, response) => void answer(request, response));
  return {
    issuer,
    people,
    logIn: (url, name) => logIn(url, name, redirectUrl),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Follows redirects and fills in the two forms: who one is, and that one agrees. */
async function logIn(authorizationUrl: string, name: string, redirectUrl: string): Promise<string> {
  const jar = new Map<string, string>();
  const open = async (url: string, form?: Readonly<Record<string, string>>): Promise<Response> => {
    const response = await fetch(url, {
      method: form === undefined ? "GET" : "POST",
      redirect: "manual",
      headers: { cookie: [...jar].map(([key, value]) => `${key}=${value}`).join("; ") },
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [key = "", value = ""] = (line.split(";", 1)[0] ?? "").split("=");
      jar.set(key, value);
    }
    return response;
  };
  let url = authorizationUrl;
  let response = await open(url);
  for (let steps = 0; steps < 20; steps += 1) {
    const next = response.headers.get("location");
    if (next !== null) {
      url = new URL(next, url).href;
      if (url.startsWith(redirectUrl)) return url;
      response = await open(url);
      continue;
    }
    const page = await response.text();
    const action = /action="([^"]+)"/.exec(page)?.[1];
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1];
    if (action === undefined || prompt === undefined) throw new Error(`no form at ${url}: ${page.slice(0, 500)}`);
    response = await open(
      new URL(action, url).href,
      prompt === "login" ? { prompt, login: name, password: "x" } : { prompt },
    );
  }
  throw new Error("the provider does not come to an end");
}
