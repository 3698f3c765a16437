/** An authority that the machine trusts, and what it vouches for: only the right host, and only for a time (F33). */
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

import { startChild } from "../../support/child.js";
import { startR2Proxy } from "../../support/r2-proxy.js";
import { type S3Bench, startS3Bench } from "../../support/s3-bench.js";
import { createSelfSigned } from "../../support/self-signed.js";
import { tempDir } from "../../support/temp-dir.js";

const DIST = new URL("../../../dist/", import.meta.url).href;
/** In a process of its own: Node reads NODE_EXTRA_CA_CERTS at its start. */
const ASK = `
  import { createS3Store } from "${DIST}archive/s3-store.js";
  import { systemClock as clock } from "${DIST}platform/clock.js";
  const { credentials, ...options } = JSON.parse(process.env.STORE);
  const store = createS3Store({ ...options, credentials: () => credentials, clock });
  const say = (answer) => console.log("ANSWER " + JSON.stringify(answer));
  await store.head("t/none", AbortSignal.timeout(20_000)).then(
    (facts) => say({ kind: facts === undefined ? "absent" : "there" }),
    ({ kind, hint, cause }) => say({ kind, hint, code: cause?.code }),
  );
  store.close();
`;

let bench: S3Bench;
beforeAll(async () => {
  bench = await startS3Bench();
});
afterAll(() => bench.close());

const refused = (code: string) => ({
  kind: "unavailable",
  code,
  hint: expect.stringContaining("NODE_EXTRA_CA_CERTS") as string,
});

it.each([
  ["of this host is taken", createSelfSigned("localhost"), { kind: "absent" }],
  ["of another host is refused", createSelfSigned("elsewhere.example"), refused("ERR_TLS_CERT_ALTNAME_INVALID")],
  ["that is expired is refused", createSelfSigned("localhost", { expired: true }), refused("CERT_HAS_EXPIRED")],
])("F33 a trusted certificate %s", async (_what, tls, expected) => {
  const proxy = await startR2Proxy({ server: bench.server, tls });
  onTestFinished(() => proxy.stop());
  const authorities = path.join(await tempDir(), "ca.pem");
  await writeFile(authorities, tls.cert);
  const { bucket, accessKeyId, secretAccessKey } = bench.server;
  const options = {
    ...{ endpoint: proxy.endpoint.replace("127.0.0.1", "localhost"), bucket, region: "us-east-1", prefix: "t" },
    credentials: { accessKeyId, secretAccessKey },
  };
  const child = await startChild(process.execPath, ["--input-type=module", "--eval", ASK], {
    env: { ...process.env, STORE: JSON.stringify(options), NODE_EXTRA_CA_CERTS: authorities },
  });
  onTestFinished(() => void child.stop("SIGKILL"));
  await child.exited;
  const [, answer = child.output()] = /^ANSWER (.*)$/m.exec(child.output()) ?? [];
  expect(JSON.parse(answer)).toMatchObject(expected);
  expect(proxy.requests.length > 0).toBe(expected.kind === "absent");
});
