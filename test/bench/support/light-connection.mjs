/** A client that costs next to nothing: what is measured beside it shares the machine with it. */
import { connect } from "node:net";

const READ_BYTES = 262_144;
const HEAD_END = "\r\n\r\n";

/** One request after the other, whose answers have a Content-Length; all are read into one buffer. */
export class LightConnection {
  #host;
  #socket;
  /** Of the answer that is being read; undefined: there is none. */
  #answer;

  constructor(url) {
    const { hostname, port, host } = new URL(url);
    this.#host = host;
    const callback = (length, buffer) => {
      this.#read(buffer.subarray(0, length));
      return true;
    };
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      onread: { buffer: Buffer.alloc(READ_BYTES), callback },
    });
    this.#socket.on("error", () => undefined);
    this.#socket.once("close", () => this.#end(false));
  }

  get(path, { range, isKept = false }) {
    return new Promise((resolve) => {
      this.#answer = { resolve, isKept, head: "", text: "", bytes: 0, length: undefined };
      const lines = [
        `GET ${path} HTTP/1.1`,
        `Host: ${this.#host}`,
        ...(range === undefined ? [] : [`Range: ${range}`]),
      ];
      this.#socket.write(lines.join("\r\n") + HEAD_END);
    });
  }

  close() {
    this.#socket.destroy();
  }

  #read(chunk) {
    const answer = this.#answer;
    if (answer === undefined) return;
    const body = answer.length === undefined ? this.#readHead(answer, chunk) : chunk;
    answer.bytes += body.length;
    if (answer.isKept) answer.text += body.toString("latin1");
    if (answer.bytes === answer.length) this.#end(/^HTTP\/1.1 20[06] /.test(answer.head));
  }

  #readHead(answer, chunk) {
    const before = answer.head.length;
    answer.head += chunk.toString("latin1");
    const end = answer.head.indexOf(HEAD_END);
    if (end < 0) return Buffer.alloc(0);
    answer.head = answer.head.slice(0, end);
    answer.length = Number(/^content-length: (\d+)$/im.exec(answer.head)?.[1]);
    return chunk.subarray(end + HEAD_END.length - before);
  }

  #end(isWhole) {
    const answer = this.#answer;
    this.#answer = undefined;
    if (answer === undefined) return;
    answer.resolve({ isWhole, text: answer.text, bytes: answer.bytes });
  }
}
