import { get } from "node:http";
import { answer, instructions, readCommands } from "./command-lines.ts";

/** Fetches again and again, each time over a new connection: what a visitor would see. */
export interface HttpClientInstructions {
  readonly url: string;
  readonly everyMs: number;
  readonly timeoutMs: number;
}

export interface HttpSample {
  /** When the request began, in milliseconds since 1970 by the machine's clock. */
  readonly at: number;
  readonly ok: boolean;
  readonly tookMs: number;
  readonly status?: number;
  readonly error?: string;
}

const { url, everyMs, timeoutMs } = instructions() as HttpClientInstructions;

function fetchOnce(): void {
  const at = Date.now();
  const began = performance.now();
  let done = false;
  const finish = (ok: boolean, more: Pick<HttpSample, "status" | "error">): void => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    const sample: HttpSample = { at, ok, tookMs: performance.now() - began, ...more };
    answer(sample);
  };
  const request = get(url, { agent: false }, (response) => {
    response.resume();
    response.on("end", () =>
      finish(response.statusCode === 200, response.statusCode === undefined ? {} : { status: response.statusCode }),
    );
  });
  const timer = setTimeout(() => {
    finish(false, { error: "timeout" });
    request.destroy();
  }, timeoutMs);
  request.on("error", (cause: NodeJS.ErrnoException) => finish(false, { error: cause.code ?? cause.message }));
}

setInterval(fetchOnce, everyMs);
fetchOnce();
readCommands(() => undefined);
