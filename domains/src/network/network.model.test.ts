import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { networkConfig } from "../../test/network-arbitrary.ts";
import { BARE_SERVER, RENTED_SERVER, serverAfter } from "../../test/network-server.ts";
import { network } from "./domain.ts";
import type { NetworkConfig } from "./model.ts";
import type { NetworkObserved } from "./observed.ts";
import { inForce, printOwnFile, readOwnFile } from "./own-file.ts";
import { renderFiles } from "./render.ts";

const PATH = { controlPlane: [{ address: "192.0.2.200", port: 7081 }], inbound: [] };

function plan(desired: NetworkConfig | null, confirmed: NetworkConfig | null, observed: NetworkObserved) {
  return network.plan({ desired, confirmed, observed, managementPath: PATH });
}

test("what a generated config says passes the door, validates, and is what verify finds where networkd has done it", () => {
  fc.assert(
    fc.property(networkConfig, (config) => {
      const parsed = network.parseConfig(JSON.parse(JSON.stringify(config)));
      expect(parsed).toMatchObject({ ok: true });
      expect(network.validate(config).filter(({ severity }) => severity === "error")).toEqual([]);
      const after = serverAfter(config);
      expect(network.verify(config, after)).toEqual([]);
      expect(plan(config, config, after).steps).toEqual([]);
    }),
  );
});

test("from any config to any other there is a plan, and another server is found wanting", () => {
  fc.assert(
    fc.property(networkConfig, networkConfig, (a, b) => {
      const before = serverAfter(a);
      const isSame = canonicalJson(a) === canonicalJson(b);
      expect(network.verify(b, before).length === 0).toBe(isSame);
      expect(plan(b, a, before).steps.length === 0).toBe(isSame);
      // The same facts and the same wish make the same plan, byte for byte.
      expect(JSON.stringify(plan(b, a, before))).toBe(JSON.stringify(plan(b, a, before)));
    }),
  );
});

test("an undo asks for nothing where all is as before, and names what is not", () => {
  fc.assert(
    fc.property(networkConfig, networkConfig, (a, b) => {
      const [snapshot, live] = [serverAfter(a, RENTED_SERVER), serverAfter(b, RENTED_SERVER)];
      expect(network.restored?.(snapshot, live, snapshot)).toEqual([]);
      const left = network.restored?.(snapshot, live, live) ?? [];
      expect(left.length === 0).toBe(canonicalJson(network.ours(snapshot)) === canonicalJson(network.ours(live)));
      const written = network
        .restore(snapshot, live)
        .flatMap(({ action }) => (action.kind === "write_file" ? [action.path] : []));
      expect(new Set(written).size).toBe(written.length);
    }),
  );
});

test("what is written at a boot is what the trial had, so that nothing moves", () => {
  fc.assert(
    fc.property(networkConfig, (config) => {
      const after = serverAfter(config);
      const trial: NetworkObserved = { ...after, own: { run: after.own.etc, etc: {} } };
      expect(network.verify(config, { ...trial, links: after.links })).toEqual([]);
      const written = network
        .persist(config, trial)
        .flatMap(({ action }) => (action.kind === "write_file" ? [action.text] : []));
      expect(written.toSorted()).toEqual(Object.values(after.own.etc).toSorted());
      expect(network.persist(config, after)).toEqual([]);
      // Before networkd has started, its files are what there is, and they are right.
      const booting: NetworkObserved = { ...after, renderer: { state: "starting" } };
      expect(network.verify(config, booting)).toEqual([]);
      expect(plan(config, config, booting).steps).toEqual([]);
    }),
  );
});

test("a released server keeps none of our files, and gets back what was found", () => {
  fc.assert(
    fc.property(networkConfig, (config) => {
      const after = serverAfter(config, RENTED_SERVER);
      const { steps } = plan(null, config, after);
      const removed = steps.flatMap(({ action }) => (action.kind === "remove_file" ? [action.path] : []));
      expect(removed).toHaveLength(Object.keys(after.own.etc).length);
      for (const link of after.links.filter(({ kind, mtu }) => kind === null && mtu !== 1500))
        expect(steps.map(({ action }) => action)).toContainEqual({
          kind: "link",
          link: link.name,
          change: { op: "mtu", mtu: 1500 },
        });
      for (const link of after.links.filter(({ kind }) => kind !== null))
        expect(steps.map(({ action }) => action)).toContainEqual({
          kind: "link",
          link: link.name,
          change: { op: "delete", device: link.kind },
        });
      expect(network.verify(null, { ...BARE_SERVER, own: { run: {}, etc: {} } })).toEqual([]);
    }),
  );
});

test("a file that we wrote is read as it was written", () => {
  fc.assert(
    fc.property(networkConfig, (config) => {
      for (const [name, text] of Object.entries(renderFiles(config, BARE_SERVER.links, { mtu: {}, forwarding: {} })))
        if (!name.endsWith(".conf")) expect(printOwnFile(readOwnFile(text))).toBe(text);
      expect(inForce({ run: {}, etc: {} })).toEqual({});
    }),
  );
});
