import { expect, test } from "vitest";
import { readTraceparent, traceparentOf } from "./traceparent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

test("what is written is read again", () => {
  const context = { traceId: TRACE, spanId: SPAN };
  expect(readTraceparent(traceparentOf(context))).toEqual(context);
});

test.each([
  [`00-${TRACE}-${SPAN}-00`, "not sampled by the sender"],
  [`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, "a later version with more behind it"],
])("%s is read: %s", (text) => {
  expect(readTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN });
});

test.each([
  ["", "nothing"],
  [`00-${TRACE}-${SPAN}`, "no flags"],
  [`ff-${TRACE}-${SPAN}-01`, "the version that is none"],
  [`00-${TRACE}-${SPAN}-01-more`, "more than version 00 has"],
  [`00-${"0".repeat(32)}-${SPAN}-01`, "no trace"],
  [`00-${TRACE}-${"0".repeat(16)}-01`, "no span"],
  [`00-${TRACE.toUpperCase()}-${SPAN}-01`, "upper case"],
  [`00-${TRACE}-${SPAN}-01\n`, "a line break"],
  [`01-${TRACE}-${SPAN}-01-${"x".repeat(300)}`, "without an end"],
])("%j is none: %s", (text) => {
  expect(readTraceparent(text)).toBeNull();
});
