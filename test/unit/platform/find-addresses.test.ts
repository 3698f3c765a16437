import { describe, expect, it } from "vitest";

import { createFindAddresses } from "../../../src/platform/find-addresses.js";

describe("the addresses of a name", () => {
  it("are those of the system's resolver", async () => {
    expect(await createFindAddresses({ withinMs: 60_000 })("localhost")).toContain("127.0.0.1");
  });

  it("are given up when no answer comes, also in the line behind names that hang", async () => {
    const asked: string[] = [];
    const find = createFindAddresses({
      withinMs: 20,
      look: (name) => {
        asked.push(name);
        return new Promise<readonly string[]>(() => undefined);
      },
    });
    const outcomes = await Promise.allSettled(["a", "b", "c", "d"].map(find));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected", "rejected"]);
    expect(asked).toEqual(["a", "b"]);
  });
});
