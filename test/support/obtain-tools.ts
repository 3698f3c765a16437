/** Before the tests with real parts: the tools are there, so that no test's deadline holds a download or a build. */
import { mediamtxBinary, versitygwBinary } from "./tools.js";

export async function setup(): Promise<void> {
  await versitygwBinary();
  await mediamtxBinary("1.21.0");
  await mediamtxBinary("1.19.3");
}
