// See histories-1.test.ts.
import { testHistories } from "./histories.js";

testHistories({ histories: 250, seed: 20261121 });
