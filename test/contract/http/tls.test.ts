/** HTTPS by certificate files that are renewed, half written and lost while it runs. */
import { rename, rm, writeFile } from "node:fs/promises";
import https from "node:https";
import path from "node:path";
import { TLSSocket } from "node:tls";

import { describe, expect, it, onTestFinished } from "vitest";

import { listenTls } from "../../../src/http/server.js";
import { httpForTest } from "../../support/http-harness.js";
import { createSelfSigned } from "../../support/self-signed.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";

/** The status, and whom the certificate names. */
function ask(port: number): Promise<{ readonly status: number; readonly name: string }> {
  return new Promise((resolve, reject) => {
    const request = https.get(
      { port, host: "127.0.0.1", path: "/health", rejectUnauthorized: false, agent: false },
      (response) => {
        const { socket } = response;
        const name = socket instanceof TLSSocket ? socket.getPeerCertificate().subject.CN : "nobody";
        response.resume();
        resolve({ status: response.statusCode ?? 0, name: String(name) });
      },
    );
    request.on("error", reject);
  });
}

async function scene() {
  const directory = await tempDir();
  const files = { certFile: path.join(directory, "cert.pem"), keyFile: path.join(directory, "key.pem") };
  const store = async (name: string): Promise<void> => {
    const { cert, key } = createSelfSigned(name);
    // As certbot does: whole files take the place of the old ones.
    await writeFile(`${files.certFile}.new`, cert);
    await writeFile(`${files.keyFile}.new`, key);
    await rename(`${files.certFile}.new`, files.certFile);
    await rename(`${files.keyFile}.new`, files.keyFile);
  };
  await store("first.example");
  const errors: unknown[] = [];
  const http = await httpForTest();
  const start = () =>
    listenTls(http.app, {
      ...{ host: "127.0.0.1", port: 0, ...files, lookEveryMs: 20 },
      onError: (error) => errors.push(error),
    });
  return { files, store, errors, start };
}

describe("HTTPS", () => {
  it("takes a renewed certificate without a restart, and keeps the old one while the files are no good", async () => {
    const { files, store, errors, start } = await scene();
    const listening = await start();
    onTestFinished(() => listening.stop(0));
    expect(await ask(listening.port)).toEqual({ status: 200, name: "first.example" });
    await writeFile(files.certFile, "-----BEGIN CERTIFICATE-----\nhalf of i");
    await waitFor("the files to be looked at", () => errors.length > 0);
    expect(await ask(listening.port)).toEqual({ status: 200, name: "first.example" });
    await rm(files.keyFile);
    await store("second.example");
    await waitFor("the new certificate", async () => (await ask(listening.port)).name === "second.example");
  });

  it("does not start with files that do not belong together, and says which", async () => {
    const { files, start } = await scene();
    await writeFile(files.keyFile, createSelfSigned("other.example").key);
    await expect(start()).rejects.toMatchObject({
      kind: "failed-precondition",
      message: expect.stringContaining(files.keyFile) as string,
    });
    await rm(files.certFile);
    await expect(start()).rejects.toThrow(/ENOENT|no such file/);
  });
});
