import type { Plan } from "@holdfast/core/api/change.ts";
import { expect, test } from "vitest";
import { mockPlan } from "../../../mock-api/plan.ts";
import { WEB_HOST } from "../../../mock-api/texts.ts";
import { dangersOf, isHighRisk, plansToReview, reviewOf } from "./risk.ts";

const quiet = (server: string): Plan =>
  mockPlan({
    id: "019a",
    changeId: "019b",
    server,
    kind: "forward",
    before: WEB_HOST,
    after: WEB_HOST.replace("tcp/9100", "tcp/9101"),
    reachable: true,
    nowIso: "2026-11-22T10:00:00Z",
  });

test("planned forward and then back, only the way back is reviewed; planned forward again, only that", () => {
  const forward = { ...quiet("web-1"), createdAt: "2026-11-22T10:00:00.000Z" };
  const back: Plan = { ...quiet("web-1"), id: "019c", kind: "rollback", createdAt: "2026-11-22T10:05:00.000Z" };
  expect(plansToReview([forward, back])).toEqual([back]);
  expect(plansToReview([{ ...forward, createdAt: "2026-11-22T10:06:00.000Z" }, back])).toMatchObject([
    { kind: "forward" },
  ]);
  expect(plansToReview([])).toEqual([]);
});

test("asked again with the same answer it is the same review; another plan, another server or the way back is another", () => {
  const [web1, web2] = [quiet("web-1"), quiet("web-2")];
  const review = reviewOf([web1, web2]);
  expect(reviewOf([{ ...web2, id: "019d", createdAt: "2026-11-22T10:06:00.000Z" }, web1])).toBe(review);
  for (const other of [
    [web1],
    [web1, { ...web2, planDigest: "d1g2" }],
    [web1, { ...web2, kind: "rollback" as const }],
    [web1, { ...web2, status: "unreachable" as const }],
  ])
    expect(reviewOf(other)).not.toBe(review);
});

test("an ordinary change needs one press; a dangerous one a typed word and a tick for each finding", () => {
  expect(isHighRisk([quiet("web-1")])).toBe(false);
  const withoutSsh = WEB_HOST.replace(/ {6}# operators only\n[^]*?(?= {6}- name: metrics)/, "");
  const plan = mockPlan({
    id: "019a",
    changeId: "019b",
    server: "web-1",
    kind: "forward",
    before: WEB_HOST,
    after: withoutSsh,
    reachable: true,
    nowIso: "2026-11-22T10:00:00Z",
  });
  expect(dangersOf([plan]).map(({ server, finding }) => `${server} ${finding.code}`)).toEqual([
    "web-1 firewall.session_cut",
  ]);
  expect(isHighRisk([plan])).toBe(true);
});

test("many servers at once are a risk by themselves", () => {
  expect(isHighRisk(["a", "b", "c", "d"].map(quiet))).toBe(false);
  expect(isHighRisk(["a", "b", "c", "d", "e"].map(quiet))).toBe(true);
});
