import { expect, test } from "vitest";
import { LOG_FIELDS, logFields } from "./fields.ts";
import { journalFields, whyNotALine } from "./line.ts";

const LINE = { time: "2026-01-02T03:04:05.678Z", level: "info", message: "step done", process: "module" };
const why = (over: Readonly<Record<string, unknown>>) => whyNotALine(JSON.stringify({ ...LINE, ...over }));

test("a line has its time, level, message and process, and names things as the table does", () => {
  expect(why({ ...logFields({ requestId: "r", targetHost: "web-1", domain: "firewall" }) })).toBeNull();
  expect(why({ time: 1_700_000_000 })).toContain("time");
  expect(why({ level: 30 })).toContain("level");
  expect(why({ message: "" })).toContain("message");
  expect(why({ process: undefined })).toContain("process");
  expect(why({ request_id: 7 })).toBe("request_id is no text");
  expect(why({ requestId: "r" })).toContain("request_id");
  expect(whyNotALine("started")).toBe("it is not JSON");
  expect(whyNotALine("[]")).toBe("it is no object");
});

test("journald's fields are ours in upper case, and no value can begin another field", () => {
  const context = Object.fromEntries(Object.values(LOG_FIELDS).map((name) => [name, "x"]));
  expect(Object.keys(journalFields(context)).toSorted()).toEqual(
    Object.values(LOG_FIELDS)
      .map((name) => name.toUpperCase())
      .toSorted(),
  );
  expect(journalFields({ request_id: "r\nPRIORITY=0", domain: "", pid: "7" })).toEqual({});
});
