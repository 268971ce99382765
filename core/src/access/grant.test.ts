import { expect, test } from "vitest";
import { PERMISSIONS } from "../api/account.ts";
import { holds, holdsEverywhere, holdsOn, type Grant } from "./grant.ts";

const web = { name: "web-1", labels: { role: "web", site: "seoul" } };
const grant = (
  permission: Grant["permission"],
  scope: Grant["scope"] = { all: true },
  domains: Grant["domains"] = null,
): Grant => ({ permission, scope, domains });

test("no permission implies another one", () => {
  for (const held of PERMISSIONS) {
    for (const asked of PERMISSIONS) {
      expect(holds([grant(held)], asked), `${held} gives ${asked}`).toBe(held === asked);
      expect(holdsOn([grant(held)], asked, web), `${held} gives ${asked} on a server`).toBe(held === asked);
    }
  }
});

test("every label of a scope must match, and an empty scope covers nothing", () => {
  expect(holdsOn([grant("view", { role: "web" })], "view", web)).toBe(true);
  expect(holdsOn([grant("view", { role: "web", site: "busan" })], "view", web)).toBe(false);
  expect(holdsOn([grant("view", { server: "web-1" })], "view", web)).toBe(true);
  expect(holdsOn([grant("view", { server: "web-2" })], "view", web)).toBe(false);
  expect(holdsOn([grant("view", {})], "view", web)).toBe(false);
  expect(holdsOn([grant("view", { constructor: "x" })], "view", web)).toBe(false);
});

test("domains are covered by all grants together, never by one of another scope", () => {
  const grants = [
    grant("apply", { role: "web" }, ["firewall"]),
    grant("apply", { site: "seoul" }, ["system"]),
    grant("apply", { role: "db" }, ["vpn"]),
  ];
  expect(holdsOn(grants, "apply", web, ["firewall", "system"])).toBe(true);
  expect(holdsOn(grants, "apply", web, ["vpn"])).toBe(false);
  expect(holdsEverywhere(grants, "apply")).toBe(false);
  expect(holdsEverywhere([grant("apply")], "apply")).toBe(true);
});
