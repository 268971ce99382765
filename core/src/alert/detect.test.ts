import fc from "fast-check";
import { expect, test } from "vitest";
import type { FloorStanding } from "../floor/standing.ts";
import {
  AWAY_MS,
  detect,
  EPOCH_TOLD_MS,
  EXPIRING_WITHIN_MS,
  FLOOR_REPAIRED_TOLD_MS,
  IN_DOUBT_MS,
  NOT_BEGUN_MS,
  notKnown,
  STUCK_AFTER_WINDOW_MS,
} from "./detect.ts";
import type { AlertFacts, OpenApplyFact } from "./facts.ts";
import { failureRate } from "./failure-rate.ts";
import { ALERT_KINDS, ALERTS } from "./kind.ts";
import { alertSteps } from "./life.ts";

const NOW = 1_700_000_000_000;
const LONGEST = 60_000;

const CALM: AlertFacts = {
  nowMs: NOW,
  open: [],
  refused: [],
  hours: [],
  left: [],
  drifted: [],
  floors: [],
  away: [],
  expiring: [],
  unapproved: [],
  copied: [],
  keys: [],
  people: [],
  audit: { state: "whole" },
  accusing: [],
  epoch: null,
  instances: [{ instanceId: "i", address: "a", host: "h", diskFreeBytes: 50 << 20, diskTotalBytes: null }],
  database: { checksumFailures: 0, connections: 20, connectionsMost: 100, oldestTransactionAge: 1e8, awaySeconds: 0 },
};

const open = (over: Partial<OpenApplyFact>): OpenApplyFact => ({
  applyId: "a1",
  serverId: "s1",
  server: "web-1",
  state: "APPLYING",
  phase: "on_trial",
  beganMs: NOW - 30_000,
  executedMs: NOW - 30_000,
  longestMs: LONGEST,
  inDoubtSinceMs: null,
  waitingFor: "the trial to be over, with every probe passing",
  ...over,
});

const kindsOf = (over: Partial<AlertFacts>) => detect({ ...CALM, ...over }).map(({ kind }) => kind);

test("a house that is well has no alerts", () => {
  expect(detect(CALM)).toEqual([]);
});

test("glass that was broken is told until the approvals are there, with who, why and how many", () => {
  const broken = { changeId: "c1", title: "open 443", by: "kim", reason: "the shop is down", needed: 2, given: 1 };
  const [alert] = detect({ ...CALM, unapproved: [broken] });
  expect(alert).toMatchObject({ kind: "glass-broken", subject: "change/c1", serverId: null });
  expect(alert?.message).toBe(
    'kim applied "open 443" with 1 of 2 approvals, because: the shop is down. It waits for the approvals that are missing, or to be rolled back.',
  );
});

test("servers that know more of the audit log than the database: one alert, with some of their names", () => {
  const knows = (server: string, entries: number, standing: "ahead" | "forked" = "ahead") => ({
    serverId: server,
    server,
    entries,
    standing,
  });
  const [alone] = detect({ ...CALM, accusing: [knows("web-1", 90)] });
  expect(alone).toMatchObject({ kind: "audit-heads", subject: "house" });
  expect(alone?.message).toBe(
    "The audit log is not the one that a server keeps a head of (web-1; up to 90 entries): it was cut off, or an older one was put back.",
  );
  const many = ["a", "b", "c", "d", "e", "f", "g"].map((name, index) => knows(name, index + 1));
  const [fleet] = detect({ ...CALM, accusing: [...many, knows("h", 3, "forked")] });
  expect(fleet?.message).toContain(
    "8 servers keep heads of (a, b, c, d, e and 3 more; up to 7 entries): it was written anew",
  );
});

test("an epoch that somebody began is told for a week, with who and why", () => {
  const epoch = { epoch: 2, entries: 40, by: "kim", reason: "the disk died", beganMs: NOW };
  const at = (nowMs: number) => detect({ ...CALM, nowMs, epoch });
  expect(at(NOW)).toMatchObject([{ kind: "audit-epoch", subject: "audit/epoch/2" }]);
  expect(at(NOW)[0]?.message).toContain("kim accepted the audit log as it was");
  expect(at(NOW)[0]?.message).toContain("because: the disk died");
  expect(at(NOW + EPOCH_TOLD_MS - 1)).toHaveLength(1);
  expect(at(NOW + EPOCH_TOLD_MS)).toEqual([]);
});

test("a passkey that may have been copied is told with whose it is, by its id: the same again is the same alert", () => {
  const copied = { passkeyId: "p1", passkey: "laptop", account: "kim", lastMs: NOW };
  const [alert] = detect({ ...CALM, copied: [copied] });
  expect(alert).toMatchObject({ kind: "passkey-copied", subject: "passkey/p1", serverId: null });
  expect(alert?.message).toContain('The passkey "laptop" of kim was shown with a counter that had not gone on');
});

test("on trial is not stuck: only what outlasts its whole window, or was never begun", () => {
  const at = (ms: number) => kindsOf({ open: [open({ executedMs: NOW - ms })] });
  expect(at(LONGEST + STUCK_AFTER_WINDOW_MS - 1)).toEqual([]);
  expect(at(LONGEST + STUCK_AFTER_WINDOW_MS)).toEqual(["apply-stuck"]);
  const unbegun = (ms: number) => kindsOf({ open: [open({ executedMs: null, beganMs: NOW - ms })] });
  expect(unbegun(NOT_BEGUN_MS - 1)).toEqual([]);
  expect(unbegun(NOT_BEGUN_MS)).toEqual(["apply-stuck"]);
});

test("a stuck apply says what it waits for", () => {
  const [alert] = detect({ ...CALM, open: [open({ executedMs: NOW - 300_000, beganMs: NOW - 300_000 })] });
  expect(alert).toMatchObject({ subject: "apply/a1", applyId: "a1", serverId: "s1" });
  expect(alert?.message).toBe(
    "web-1 has been APPLYING for 5 min, longer than its whole window. It waits for the trial to be over, with every probe passing.",
  );
});

test("a doubt is an alert when it lasts", () => {
  const since = (ms: number) => kindsOf({ open: [open({ phase: "in_doubt", inDoubtSinceMs: NOW - ms })] });
  expect(since(IN_DOUBT_MS - 1)).toEqual([]);
  expect(since(IN_DOUBT_MS)).toEqual(["in-doubt"]);
});

test("servers: left behind, drifted, away, shut out soon", () => {
  const server = { serverId: "s1", server: "web-1" };
  expect(kindsOf({ left: [{ ...server, applyId: "a", effect: "restore_failed", code: "x.y" }] })).toEqual([
    "rollback-failed",
  ]);
  expect(kindsOf({ drifted: [{ ...server, domains: ["vpn", "firewall"] }] })).toEqual(["drift"]);
  expect(kindsOf({ away: [{ ...server, sinceMs: NOW - AWAY_MS + 1 }] })).toEqual([]);
  expect(kindsOf({ away: [{ ...server, sinceMs: NOW - AWAY_MS }] })).toEqual(["agent-lost"]);
  expect(kindsOf({ expiring: [{ ...server, notAfterMs: NOW + EXPIRING_WITHIN_MS }] })).toEqual([]);
  expect(kindsOf({ expiring: [{ ...server, notAfterMs: NOW - 1 }] })).toEqual(["certificate-expiring"]);
});

test("a lost floor is called for while it is lost, and an hour after it was put back", () => {
  const lost = [{ path: "table", expected: "the table inet holdfast", found: "no table inet holdfast" }];
  const repairs = [{ at: "2026-11-27T02:00:00.000Z", lost: "table", failure: "" }];
  const at = (sinceMs: number, firewall: FloorStanding) =>
    detect({ ...CALM, floors: [{ serverId: "s1", server: "web-1", sinceMs, floor: { firewall } }] });
  const [open] = at(NOW - FLOOR_REPAIRED_TOLD_MS, { lost, whenLost: "alarm", repairs: [], gaveUp: false });
  expect(open).toMatchObject({ kind: "floor-lost", subject: "server/s1" });
  expect(open?.message).toBe(
    "web-1 lost what lets management in, outside of any change: firewall: table: expected the table inet holdfast, found no table inet holdfast; its floor does not let the server put it back by itself.",
  );
  const [gaveUp] = at(NOW, { lost, whenLost: "repair", repairs: [...repairs, ...repairs, ...repairs], gaveUp: true });
  expect(gaveUp?.message).toContain("put back 3 times and lost again, so the server leaves it as it is");
  const back: FloorStanding = { lost: [], whenLost: "repair", repairs, gaveUp: false };
  expect(at(NOW - FLOOR_REPAIRED_TOLD_MS + 1, back)[0]?.message).toContain(
    "and has it back: firewall: lost and put back by itself once",
  );
  expect(at(NOW - FLOOR_REPAIRED_TOLD_MS, back)).toEqual([]);
});

test("the house: audit, disks, database", () => {
  expect(kindsOf({ audit: { state: "broken", entry: 7, reason: "content" } })).toEqual(["audit-broken"]);
  const disk = (free: number, total: number) =>
    kindsOf({ instances: [{ instanceId: "i", address: "a", host: "h", diskFreeBytes: free, diskTotalBytes: total }] });
  expect(disk(2 ** 31, 2 ** 33)).toEqual([]);
  expect(disk(2 ** 29, 2 ** 33)).toEqual(["disk-low"]);
  expect(disk(2 ** 33, 2 ** 40)).toEqual(["disk-low"]);
  const database = (over: Partial<AlertFacts["database"]>) => kindsOf({ database: { ...CALM.database, ...over } });
  expect(database({ checksumFailures: 1 })).toEqual(["database-trouble"]);
  expect(database({ connections: 90 })).toEqual(["database-trouble"]);
  expect(database({ oldestTransactionAge: 1.3e9 })).toEqual(["database-trouble"]);
  expect(database({ awaySeconds: 14 })).toEqual([]);
  expect(database({ awaySeconds: 15 })).toEqual(["database-trouble"]);
});

test("each instance has a disk of its own; one that cannot be asked is neither full nor well", () => {
  const full = { address: "a", host: "h", diskFreeBytes: 1, diskTotalBytes: 2 ** 33 };
  const both = [
    { instanceId: "i", ...full },
    { instanceId: "j", ...full },
  ];
  const found = detect({ ...CALM, instances: both });
  expect(found.map(({ kind, subject }) => [kind, subject])).toEqual([
    ["disk-low", "instance/i"],
    ["disk-low", "instance/j"],
  ]);
  const hangs = {
    ...CALM,
    instances: [{ instanceId: "i", address: "a", host: "h", diskFreeBytes: null, diskTotalBytes: null }],
  };
  expect(detect(hangs)).toEqual([]);
  const standing = found.map((one, index) => ({ ...one, id: String(index) }));
  expect(alertSteps(standing, [], notKnown(hangs)).resolve).toEqual(["1"]);
});

test("each refused attempt names who tried", () => {
  const [alert] = detect({ ...CALM, refused: [{ serverId: "s1", server: "web-1", count: 2, lastActor: "kim" }] });
  expect(alert).toMatchObject({ kind: "concurrent-applies", subject: "server/s1" });
  expect(alert?.message).toContain("2 applies were refused on web-1");
  expect(alert?.message).toContain("kim");
});

test("a house is judged by its own past", () => {
  const past = (ended: number, failed: number) =>
    Array.from({ length: 100 }, (_, index) => ({ hoursAgo: index + 1, ended, failed }));
  // A house in which nothing fails is called at a third failure of ten; one in which a third always fails is not.
  expect(failureRate([...past(10, 0), { hoursAgo: 0, ended: 10, failed: 3 }]).isSpike).toBe(true);
  expect(failureRate([...past(9, 3), { hoursAgo: 0, ended: 10, failed: 4 }]).isSpike).toBe(false);
  expect(failureRate([...past(9, 3), { hoursAgo: 0, ended: 30, failed: 25 }]).isSpike).toBe(true);
  // A new house: two failures are looked at one by one; five of six are a spike.
  expect(failureRate([{ hoursAgo: 0, ended: 2, failed: 2 }]).isSpike).toBe(false);
  expect(failureRate([{ hoursAgo: 0, ended: 6, failed: 5 }]).isSpike).toBe(true);
  expect(failureRate([]).isSpike).toBe(false);
});

test("the chance is a probability, falls with every failure more, and is the binomial's own tail", () => {
  const rate = (failed: number, ended: number) => failureRate([{ hoursAgo: 0, ended, failed }]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (ended, share) => {
      const failed = Math.floor(ended * share);
      const { chance } = rate(failed, ended);
      expect(chance).toBeGreaterThanOrEqual(0);
      expect(chance).toBeLessThanOrEqual(1);
      if (failed < ended) expect(rate(failed + 1, ended).chance).toBeLessThanOrEqual(chance + 1e-12);
    }),
    { numRuns: 200 },
  );
  // p is 1/20 for a house without a past: P(X ≥ 2 of 3) = 3 p²(1-p) + p³.
  expect(rate(2, 3).chance).toBeCloseTo(3 * 0.05 ** 2 * 0.95 + 0.05 ** 3, 12);
});

test("the same look twice changes nothing the second time, and what has gone is resolved", () => {
  const found = detect({
    ...CALM,
    open: [open({ executedMs: NOW - 300_000 })],
    audit: { state: "broken", entry: 1, reason: "cut_off" },
  });
  const first = alertSteps([], found, notKnown(CALM));
  expect(first.open).toEqual(found);
  const standing = found.map(({ kind, subject, message }, index) => ({ id: String(index), kind, subject, message }));
  expect(alertSteps(standing, found, notKnown(CALM))).toEqual({ open: [], reword: [], resolve: [] });
  expect(alertSteps(standing, found.slice(1), notKnown(CALM)).resolve).toEqual(["0"]);
  // What could not be looked at stays as it is.
  const unseen = { ...CALM, audit: { state: "not_known" } } as const;
  expect(detect(unseen)).toEqual([]);
  expect(alertSteps(standing, [], notKnown(unseen)).resolve).toEqual(["0"]);
  expect(alertSteps(standing, [], notKnown(CALM)).resolve).toEqual(["0", "1"]);
  const reworded = found.map((one) => ({ ...one, message: `${one.message}!` }));
  expect(alertSteps(standing, reworded, notKnown(CALM)).reword.map(({ id }) => id)).toEqual(["0", "1"]);
});

test("codes are one for each kind", () => {
  expect(new Set(ALERT_KINDS.map((kind) => ALERTS[kind].code)).size).toBe(ALERT_KINDS.length);
});

test("a key is due when it is as old as its tunnel says, once for each secret, and until it is replaced", () => {
  const key = { secret: "tunnel.pair", tunnel: "pair", version: 1, madeMs: NOW - 1_000, dueMs: NOW };
  const due = (...keys: AlertFacts["keys"]) => detect({ ...CALM, keys }).filter(({ kind }) => kind === "key-due");
  expect(due({ ...key, dueMs: NOW + 1 })).toEqual([]);
  const [found, ...more] = due(
    key,
    { ...key, tunnel: "other", dueMs: NOW - 5 },
    { ...key, version: 2, dueMs: NOW + 9 },
  );
  expect(more).toEqual([]);
  expect(found).toMatchObject({ subject: "secret/tunnel.pair", serverId: null });
  expect(found?.message).toMatch(/key of other, pair was made .* holdfast secret rotate tunnel.pair/);
});

test("certificates of people that end within a month are told of once for each tunnel", () => {
  const DAY = 86_400_000;
  const one = (person: string, days: number, tunnel = "staff") => ({ tunnel, person, notAfterMs: NOW + days * DAY });
  const due = (...people: AlertFacts["people"]) => detect({ ...CALM, people }).filter(({ kind }) => kind === "key-due");
  expect(due(one("alice", 31))).toEqual([]);
  const found = due(one("alice", 29), one("bob", -1), one("carol", 5, "guests"), one("dave", 60));
  expect(found.map(({ subject }) => subject)).toEqual(["tunnel/staff", "tunnel/guests"]);
  expect(found[0]?.message).toMatch(/people of staff end: bob \(ended \d{4}-\d\d-\d\d\), alice \(\d{4}/);
  const [many] = due(...Array.from({ length: 9 }, (_, index) => one(`p${index}`, index)));
  expect(many?.message).toContain("p4");
  expect(many?.message).toContain("and 4 more");
});
