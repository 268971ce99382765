import { expect, test } from "vitest";
import { NOTHING_RUN, toolRunReader } from "./tool-run.ts";

const event = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

test("text comes in parts that end anywhere, and what is not understood is passed over", () => {
  const read = toolRunReader();
  const text =
    ": still\n\n" +
    event("begun", { id: "i", tool: "ping" }) +
    event("output", { text: "one\n" }) +
    event("lost", { why: "its session has ended" });
  let run = read(text.slice(0, 60))(NOTHING_RUN);
  run = read(text.slice(60))(run);
  expect(run).toMatchObject({ text: "one\n", lost: "its session has ended", ended: null });
  run = read(event("output", { text: "two\n" }) + event("newer", {}) + "event: ended\ndata: {\n\n")(run);
  expect(run).toMatchObject({ text: "one\ntwo\n", lost: null, ended: null });
  run = read(event("ended", { outcome: "no_answer", message: "" }))(run);
  expect(run.ended).toEqual({ outcome: "no_answer", message: "" });
});

test("captured packets are kept for a file and read for people", () => {
  const headers = btoa(String.fromCharCode(...Array<number>(12).fill(0), 0x88, 0xcc));
  const packet = { seconds: 0, micros: 1, length: 60, headers };
  const run = toolRunReader()(event("packets", { linkType: 1, packets: [packet, packet] }))(NOTHING_RUN);
  expect(run.lines).toMatchObject([{ what: "not IP", length: 60 }, { at: "1970-01-01T00:00:00.000001Z" }]);
  expect(run.captured.packets[0]?.headers).toHaveLength(14);
  const wrong = toolRunReader()(event("packets", { linkType: 1, packets: [{ ...packet, headers: "%" }] }))(run);
  expect(wrong.lines).toHaveLength(2);
});
