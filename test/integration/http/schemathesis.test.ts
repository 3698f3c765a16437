/**
 * A stranger reads the OpenAPI document and asks whatever it allows, and forbids: no answer is a failure of ours, and each
 * is what the document says. Schemathesis is that stranger.
 */
import { beforeAll, expect, it, onTestFinished } from "vitest";

import { startChild } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";
import { schemathesisBinary } from "../../support/tools.js";
import { folderScene } from "../app/scene.js";

/** Of each operation, beside those that cover each parameter's border. */
const EXAMPLES = process.env["SCHEMATHESIS_EXAMPLES"] ?? "4";
/** Pages, which say in HTML what they do not understand. */
const PAGES = "^/(assets/.*|share/.*|api/docs.*)?$";
const CHECKS = [
  ...["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"],
];

beforeAll(async () => {
  await schemathesisBinary();
});

it("every answer is what the OpenAPI document says, and none is a failure of ours", async () => {
  const { app } = await folderScene();
  const child = await startChild(
    await schemathesisBinary(),
    [
      ...["run", `${app.url}/api/v1/openapi.json`, "--checks", CHECKS.join(","), "--phases", "coverage,fuzzing"],
      ...["--max-examples", EXAMPLES, "--seed", "20261129", "--exclude-path-regex", PAGES, "--no-color"],
      ...["--request-timeout", "60", "--suppress-health-check", "all"],
    ],
    { cwd: await tempDir() },
  );
  onTestFinished(async () => {
    await child.stop("SIGKILL");
  });
  expect(await child.exited, child.output()).toBe(0);
  expect(child.output()).toMatch(/[1-9]\d+ generated/);
});
