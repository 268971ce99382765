import { expect, test } from "vitest";
import { type QuarantineVerdict, quarantineVerdict } from "./quarantine.ts";

test.each<[string | null, QuarantineVerdict]>([
  [null, "no"],
  ["trial.deadline", "no"],
  ["trial.no_reconnect", "no"],
  ["server.rebooted", "no"],
  ["operator.undone_on_server", "no"],
  ["apply.aborted", "no"],
  ["apply.stuck", "no"],
  ["guard.interrupted", "no"],
  ["verify.changed_on_trial", "no"],
  ["apply.probe_failed", "transient"],
  ["module.unavailable", "transient"],
  ["verify.mismatch", "lasting"],
  ["module.step_failed", "lasting"],
  ["a.word_of_a_newer_agent", "lasting"],
])("%s quarantines: %s", (code, verdict) => {
  expect(quarantineVerdict(code)).toBe(verdict);
});
