// Two files, because a file has one worker.
import { testHistories } from "./histories.js";

testHistories({ histories: 250, seed: 20261120 });
