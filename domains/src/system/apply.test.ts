import fc from "fast-check";
import { expect, test } from "vitest";
import { SimulatedSystem } from "../../test/simulated-system.ts";
import { systemConfig } from "../../test/system-arbitrary.ts";
import { system } from "./domain.ts";
import type { SystemConfig } from "./model.ts";

const MANAGEMENT = { controlPlane: [], inbound: [] };

function plan(server: SimulatedSystem, desired: SystemConfig | null, confirmed: SystemConfig | null = null) {
  return system.plan({ desired, confirmed, observed: server.observe(), managementPath: MANAGEMENT });
}

function apply(server: SimulatedSystem, desired: SystemConfig | null, confirmed: SystemConfig | null): void {
  server.performAll(plan(server, desired, confirmed).steps);
  expect(system.verify(desired, server.observe())).toEqual([]);
  server.performAll(system.persist(desired, server.observe()));
}

test("any policy applied reads back as itself, is nothing to do a second time, and is undone to what was there", () => {
  fc.assert(
    fc.property(systemConfig, systemConfig, (first, next) => {
      const server = new SimulatedSystem();
      apply(server, first, null);
      const before = server.picture();
      const snapshot = server.observe();
      const steps = plan(server, next, first).steps;
      server.performAll(steps);
      const live = server.observe();
      expect(system.verify(next, live)).toEqual([]);
      expect(plan(server, next, first).steps).toEqual([]);
      server.performAll(system.restore(snapshot, live));
      expect(system.restored?.(snapshot, live, server.observe())).toEqual([]);
      expect(server.picture()).toEqual(before);
    }),
    { numRuns: 200 },
  );
});

test("an undo from the middle of any plan, and a second undo, end at what was there", () => {
  fc.assert(
    fc.property(systemConfig, fc.nat(40), (config, cut) => {
      const server = new SimulatedSystem();
      const before = server.picture();
      const snapshot = server.observe();
      server.performAll(plan(server, config).steps.slice(0, cut));
      const live = server.observe();
      const steps = system.restore(snapshot, live);
      server.performAll(steps.slice(0, Math.floor(cut / 2)));
      server.performAll(system.restore(snapshot, server.observe()));
      expect(system.restored?.(snapshot, live, server.observe())).toEqual([]);
      expect(server.picture()).toEqual(before);
    }),
    { numRuns: 200 },
  );
});

/** People and their groups stay when nothing is said of them any more; everything else must not. */
function withoutPeople(server: SimulatedSystem): unknown {
  return { ...(server.picture() as object), accounts: null, groups: null };
}

test("what leaves all policies goes back to what was found, whatever was confirmed in between", () => {
  fc.assert(
    fc.property(fc.array(systemConfig, { minLength: 1, maxLength: 4 }), (configs) => {
      const server = new SimulatedSystem();
      const found = withoutPeople(server);
      let confirmed: SystemConfig | null = null;
      for (const config of configs) {
        apply(server, config, confirmed);
        confirmed = config;
      }
      apply(server, null, confirmed);
      expect(withoutPeople(server)).toEqual(found);
      expect(server.observe().found).toEqual({});
    }),
    { numRuns: 100 },
  );
});

test("what is ours differs when somebody else changes it, and not when they change what is theirs", () => {
  const server = new SimulatedSystem();
  const config: SystemConfig = { sysctl: { "net.core.somaxconn": "8192" }, banners: { motd: "Ours" } };
  apply(server, config, null);
  const digest = JSON.stringify(system.ours(server.observe()));
  server.sysctl.set("vm.swappiness", "1");
  server.entries.set("/etc/issue", { type: "file", mode: 0o644, text: "Theirs" });
  expect(JSON.stringify(system.ours(server.observe()))).toBe(digest);
  server.sysctl.set("net.core.somaxconn", "1");
  expect(JSON.stringify(system.ours(server.observe()))).not.toBe(digest);
  expect(system.verify(config, server.observe())).toMatchObject([{ path: "sysctl:net.core.somaxconn", found: "1" }]);
  const drift = plan(server, config, config);
  expect(drift.findings.map(({ code }) => code)).toContain("system.drift");
  expect(drift.steps.map(({ id }) => id)).toEqual(["system.sysctl:net.core.somaxconn"]);
});

test("a note that cannot be read stops every plan, and an undo then puts back all that could have been touched", () => {
  const server = new SimulatedSystem();
  const snapshot = server.observe();
  const before = server.picture();
  server.performAll(plan(server, { hostname: "web-7", banners: { motd: "Ours" } }).steps);
  server.entries.set("/var/lib/holdfast/system/found.json", { type: "file", mode: 0o600, text: "{" });
  const stopped = plan(server, { hostname: "web-8" });
  expect(stopped).toMatchObject({ steps: [], findings: [{ code: "system.found_unreadable", severity: "error" }] });
  server.performAll(system.restore(snapshot, server.observe()));
  expect(server.picture()).toEqual(before);
});
