import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { taken } from "./taken.ts";

const listeners = (stream: Writable) => ["drain", "close", "error"].map((event) => stream.listenerCount(event));

test("a client that reads slowly is waited for, again and again, and nothing of the waiting stays behind", async () => {
  let got = 0;
  const stream = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => {
      got += 1;
      setImmediate(done);
    },
  });
  const before = listeners(stream);
  for (let count = 1; count <= 20; count++) {
    expect(stream.write("more than it holds")).toBe(false);
    await taken(stream);
    expect(got).toBe(count);
  }
  expect(listeners(stream)).toEqual(before);
});

test.each([undefined, new Error("reset")])("a client that leaves is not waited for (%s)", async (error) => {
  const stream = new Writable({ highWaterMark: 1, write: () => undefined });
  stream.on("error", () => undefined);
  const before = listeners(stream);
  stream.write("more than it holds");
  const waits = taken(stream);
  stream.destroy(error);
  await waits;
  await taken(stream);
  expect(listeners(stream)).toEqual(before);
});
