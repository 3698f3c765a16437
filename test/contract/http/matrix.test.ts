/**
 * Every route × role × grant × credential, with the answer that each must have. What a route may be is kept by hand in
 * test/support/http-matrix.ts; a route without a row there fails.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createUrlSigner, SIGNATURE_PARAMETERS, type SignedFor } from "../../../src/access/signed-url.js";
import { AppError } from "../../../src/core/errors.js";
import { parsePathPattern } from "../../../src/core/path-pattern.js";
import { hasRole, type Principal, type Role, ROLES } from "../../../src/core/principal.js";
import { ask, type Answered } from "../../support/http-ask.js";
import { type HttpHarness, startHttp, URL_KEY } from "../../support/http-harness.js";
import { absentThings, addThings, OTHER, PATH, ROWS, type Row, type Things } from "../../support/http-matrix.js";
import { at } from "../../support/http-rows.js";

const GRANTS = { all: [], matching: [["site-a/*"]], other: [["site-b/*"]] } as const;
type Grant = keyof typeof GRANTS;
const CREDENTIALS = [
  ...(["none", "bearer", "expired bearer", "revoked bearer"] as const),
  ...(["signed", "signed and expired", "signed with a wrong key", "signed for another path"] as const),
  ...(["signed by somebody revoked", "signed and changed"] as const),
] as const;
type Credential = (typeof CREDENTIALS)[number];

const signer = createUrlSigner([URL_KEY]);
const stranger = createUrlSigner([Buffer.alloc(32, 8)]);

let http: HttpHarness;
let things: Things;

beforeAll(async () => {
  http = await startHttp({
    identify: ({ authorization }) => {
      const who = principalOf(authorization?.replace("Bearer ", ""));
      if (who !== undefined) return Promise.resolve(who);
      return Promise.reject(new AppError({ kind: "unauthenticated", message: "who is that" }));
    },
    findPrincipal: (kind, id) => (kind === "user" ? principalOf(id) : undefined),
  });
  things = await addThings(http);
});
afterAll(() => http.close());

/** `viewer/matching`; with more behind it, such as `/revoked`, nobody. */
function principalOf(name: string | undefined): Principal | undefined {
  const [role, grant, ...more] = (name ?? "").split("/");
  const known = ROLES.find((each) => each === role);
  if (known === undefined || !isGrant(grant) || more.length > 0) return undefined;
  const scopes = GRANTS[grant].map((patterns) => patterns.map((text) => parsePathPattern(text)));
  return { kind: "user", id: name ?? "", name: "anna", role: known, scopes, range: null, sessionId: null };
}

function isGrant(text: string | undefined): text is Grant {
  return text !== undefined && Object.hasOwn(GRANTS, text);
}

interface Cell {
  readonly role: Role;
  readonly grant: Grant;
  readonly credential: Credential;
}

const CELLS: readonly Cell[] = ROLES.flatMap((role) =>
  (Object.keys(GRANTS) as Grant[]).flatMap((grant) => CREDENTIALS.map((credential) => ({ role, grant, credential }))),
);

async function call(key: string, { role, grant, credential }: Cell, about: Things): Promise<Answered> {
  const row = ROWS[key]!;
  const { target, body } = await row.ask(about);
  const who = `${role}/${grant}`;
  const by: SignedFor = { kind: "user", id: who, expiresAtUs: at(300) };
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
  const how = {
    none: { target, headers: {} },
    bearer: { target, headers: bearer(who) },
    "expired bearer": { target, headers: bearer(`${who}/expired`) },
    "revoked bearer": { target, headers: bearer(`${who}/revoked`) },
    signed: { target: signer.sign(target, by), headers: {} },
    "signed and expired": { target: signer.sign(target, { ...by, expiresAtUs: at(0) }), headers: {} },
    "signed with a wrong key": { target: stranger.sign(target, by), headers: {} },
    "signed for another path": { target: grafted(target, signer.sign(elsewhere(target), by)), headers: {} },
    "signed by somebody revoked": { target: signer.sign(target, { ...by, id: `${who}/revoked` }), headers: {} },
    "signed and changed": { target: `${signer.sign(target, by)}&width=16`, headers: {} },
  }[credential];
  const method = key.split(" ")[0]!;
  return ask(http, how.target, { method, headers: how.headers, ...(body === undefined ? {} : { body }) });
}

/** The same of another path, or of another id. */
function elsewhere(target: string): string {
  return target
    .replace(encodeURIComponent(PATH), encodeURIComponent(OTHER))
    .replace(/[0-9a-f-]{36}/, "00000000-0000-4000-8000-000000000000");
}

/** The target with the signature of the other one. */
function grafted(target: string, signed: string): string {
  const own = new URL(signed, "http://x").searchParams;
  const query = new URLSearchParams(SIGNATURE_PARAMETERS.map((name): [string, string] => [name, own.get(name) ?? ""]));
  return `${target}${target.includes("?") ? "&" : "?"}${query.toString()}`;
}

type Expected = "in" | 401 | 403 | 404;

function expectedOf(row: Row, { role, grant, credential }: Cell): Expected {
  if (row.needs === "public") return "in";
  if (row.needs === "hook" || row.needs === "cookie") return 401;
  const mayCome = credential === "bearer" || (credential === "signed" && row.isSigned === true);
  if (!mayCome) return 401;
  if (!hasRole({ role }, row.needs)) return 403;
  if (row.about === "instance" && grant !== "all") return 403;
  return row.about === "path" && grant === "other" ? 404 : "in";
}

/** In is whoever is not turned away, however that ends; public routes have no path to hide. */
function outcomeOf(row: Row, { status }: Answered): Expected {
  // A signature is no parameter of such a route: it is refused as one, before the cookie is missed.
  if (row.needs === "cookie" && status === 400) return 401;
  if (status === 401 || status === 403) return status;
  return status === 404 && row.about === "path" ? 404 : "in";
}

/** Who gets in finds nothing there all the same. */
const EMPTY = new Set([
  "GET /api/v1/recordings/{id}/media.ts",
  "GET /api/v1/exports/{id}/file",
  "DELETE /api/v1/publish-credentials",
]);

describe("the matrix (CVE-2026-33470, CVE-2026-54258)", () => {
  it("has a row for every route, and no other (CVE-2026-55863)", () => {
    const routes = http.routes.map(({ method, path }) => `${method} ${path}`);
    expect(Object.keys(ROWS).sort()).toEqual(routes.sort());
  });

  it.each(Object.keys(ROWS))("%s lets in whom it must, and nobody else", async (key) => {
    const row = ROWS[key]!;
    for (const cell of CELLS) {
      const answer = await call(key, cell, things);
      const expected = expectedOf(row, cell);
      const outcome = outcomeOf(row, answer);
      const isEmpty = expected === "in" && outcome === 404 && EMPTY.has(key);
      expect([cell, isEmpty ? "in" : outcome], answer.text.slice(0, 300)).toEqual([cell, expected]);
      // Without a built page there is none to answer with.
      if (outcome === "in" && row.needs !== "public")
        expect(answer.status, answer.text.slice(0, 300)).toBeLessThan(500);
      if (key.startsWith("DELETE /api/v1/paths") && answer.status === 200) await putBack();
    }
  });

  it("is of more than 2,000 cells", () => {
    expect(Object.keys(ROWS).length * CELLS.length).toBeGreaterThan(2_000);
  });
});

async function putBack(): Promise<void> {
  await http.catalog.db("paths").insert({
    ...{ name: PATH, settings: "{}", enabled: true, archive: "all", labels: "[]", created_at_us: 1, updated_at_us: 1 },
  });
}

describe("what is hidden", () => {
  const aboutPaths = Object.entries(ROWS).filter(([, { about }]) => about === "path");

  it.each(aboutPaths.map(([key]) => key))("%s answers of it as of what is not there", async (key) => {
    const absent = absentThings(things);
    const ids = /[0-9a-f]{8}-[0-9a-f-]{27}/g;
    const plain = ({ status, text, headers }: Answered) => ({
      status,
      text: text.replaceAll(absent.path, PATH).replaceAll(ids, "ID"),
      headers: { ...headers, date: "", "content-length": "" },
    });
    for (const role of ROLES) {
      const cell = { role, grant: "other", credential: "bearer" } as const;
      expect(plain(await call(key, cell, things))).toEqual(plain(await call(key, cell, absent)));
    }
  });

  it.each(Object.entries(ROWS).filter(([, { about }]) => about === "list"))(
    "%s leaves it out, and shows it to whom it is open",
    async (key) => {
      const cell = { role: "admin", credential: "bearer" } as const;
      expect((await call(key, { ...cell, grant: "all" }, things)).text).toContain(PATH);
      expect((await call(key, { ...cell, grant: "matching" }, things)).text).toContain(PATH);
      const hidden = await call(key, { ...cell, grant: "other" }, things);
      expect(hidden.status).toBe(200);
      expect(hidden.text).not.toContain("site-a");
    },
  );

  it("is not counted, and named in a list it is as if it were not there", async () => {
    const headers = { authorization: "Bearer viewer/other" };
    const listed = await ask(http, `/api/v1/recordings?total=true&path=${PATH}`, { headers });
    expect(listed.json()).toEqual({ items: [], nextCursor: null, total: 0 });
    const all = await ask(http, "/api/v1/recordings?total=true", { headers });
    expect(all.json()).toMatchObject({ items: [], total: 0 });
  });

  it("cannot be taken in beside what is open", async () => {
    const { from, to } = things;
    const query = new URLSearchParams({ path: `${OTHER},${PATH}`, from, to }).toString();
    const answer = await ask(http, `/api/v1/timeline?${query}`, { headers: { authorization: "Bearer viewer/other" } });
    expect(answer.status).toBe(404);
  });
});
