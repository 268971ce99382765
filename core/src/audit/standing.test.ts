import { expect, test } from "vitest";
import { type AuditStanding, type LogNow, type SaidOfHead, standingOf } from "./standing.ts";

const said: SaidOfHead = {
  kept: { epoch: 2, entries: 10, head: "a" },
  refusedCode: "",
  isProven: true,
  isOurs: true,
};
const log: LogNow = { epoch: 2, hashThere: "a" };

test.each([
  ["the log has what it keeps", {}, {}, "holds"],
  ["it keeps none yet", { kept: null }, { hashThere: null }, "none"],
  ["it cannot read what it kept", { kept: null, refusedCode: "audit_head.file_unreadable" }, {}, "refuses"],
  ["it keeps what is right and takes nothing newer", { refusedCode: "audit_head.unwritable" }, {}, "refuses"],
  ["it knows more than it was handed, and the log has it", { refusedCode: "audit_head.goes_back" }, {}, "holds"],
  ["the log is shorter", {}, { hashThere: null }, "ahead"],
  ["the log has another entry there", {}, { hashThere: "b" }, "forked"],
  ["the database does not know its epoch", {}, { epoch: 1 }, "ahead"],
  ["its epoch is over, and the log is shorter", {}, { epoch: 3, hashThere: null }, "holds"],
  ["its epoch is over, and the log is another one", {}, { epoch: 3, hashThere: "b" }, "holds"],
  ["its key does not stand behind it", { isProven: false }, { hashThere: null }, "unproven"],
  ["this house has not signed it", { isOurs: false }, { hashThere: null }, "unproven"],
  [
    "it refused what went back: the log is what is wrong",
    { refusedCode: "audit_head.goes_back" },
    { hashThere: null },
    "ahead",
  ],
] satisfies readonly (readonly [string, Partial<SaidOfHead>, Partial<LogNow>, AuditStanding])[])(
  "%s",
  (_what, more, now, standing) => {
    expect(standingOf({ ...said, ...more }, { ...log, ...now })).toBe(standing);
  },
);
