import { expect, test } from "vitest";
import {
  EVERYWHERE,
  type GivenPermission,
  type Held,
  isGiven,
  labelsText,
  readLabels,
  withGiven,
  withoutGiven,
} from "./grants.ts";

const NOTHING: Held = { permissions: [], roles: [] };
const web = { scope: { role: "web" }, domains: null } as const;

test("what is given twice on the same servers becomes one grant with the domains of both", () => {
  const firewall: GivenPermission = { permission: "apply", scope: { role: "web" }, domains: ["firewall"] };
  const vpn: GivenPermission = { permission: "apply", scope: { role: "web" }, domains: ["vpn"] };
  const both = withGiven(withGiven(NOTHING, vpn), firewall);
  expect(both.permissions).toEqual([{ permission: "apply", scope: { role: "web" }, domains: ["firewall", "vpn"] }]);
  expect(isGiven(both, vpn)).toBe(true);
  expect(isGiven(both, { permission: "apply", ...web })).toBe(false);
  expect(withGiven(both, { permission: "apply", ...web }).permissions).toEqual([{ permission: "apply", ...web }]);
});

test("a role and a permission, and the same on other servers, are kept apart; taking one leaves the others", () => {
  const held = [
    { permission: "view", ...EVERYWHERE } as const,
    { permission: "view", ...web } as const,
    { role: "view", ...EVERYWHERE } as const,
  ].reduce<Held>(withGiven, NOTHING);
  expect(held.permissions).toHaveLength(2);
  expect(withoutGiven(held, { permission: "view", ...EVERYWHERE })).toEqual({
    permissions: [{ permission: "view", ...web }],
    roles: [{ role: "view", ...EVERYWHERE }],
  });
  expect(withoutGiven(held, { role: "view", ...EVERYWHERE }).roles).toEqual([]);
});

test.each([
  ["role=web", { role: "web" }],
  [" role=web,  site=seoul ", { role: "web", site: "seoul" }],
  ["", null],
  ["role", null],
  ["role=", null],
  ["=web", null],
  ["role=web role=db", null],
  ["all=true", null],
  ["a=b=c", null],
  ["__proto__=x", null],
])("labels %j are read as %j, and written back the same", (text, expected) => {
  const read = readLabels(text);
  expect(read).toEqual(expected);
  if (read !== null) expect(readLabels(labelsText(read))).toEqual(read);
});
