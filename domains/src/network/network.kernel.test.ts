import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { networkConfig } from "../../test/network-arbitrary.ts";
import { MACS } from "../../test/network-server.ts";
import { network } from "./domain.ts";
import type { InterfaceConfig, NetworkConfig } from "./model.ts";
import type { NetworkObserved } from "./observed.ts";

/** What a real networkd and kernel make of generated configs, against what was meant. */

let lab: Lab;
let server: LabServer;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfg-${process.pid}` });
  const networks = [
    await lab.network({ name: "a" }),
    await lab.network({ name: "b" }),
    await lab.network({ name: "c" }),
  ];
  server = lab.server({
    name: "gen",
    kind: "systemd",
    addressing: "networkd",
    attachments: networks.map((each, index) => ({ network: each, interface: `eth${index}`, addresses: [] })),
  });
  await server.start();
});
afterAll(() => lab.close());

interface HandsAnswer {
  readonly observed: NetworkObserved;
  readonly steps: readonly { readonly id: string }[];
  readonly problems: readonly string[];
}

/** The module's hands on that server, without a ledger around them. */
async function hands(wish: Readonly<Record<string, unknown>>): Promise<HandsAnswer> {
  const main = `${server.repo}/agent/test/network-hands-main.ts`;
  const argv = [server.nodeBinary, "--disable-warning=ExperimentalWarning", main, JSON.stringify(wish)];
  return JSON.parse(await server.must(argv, { timeoutMs: 120_000 })) as HandsAnswer;
}

/** What is ours, and the rules and set routes of everybody. */
async function look(): Promise<Json> {
  const { observed } = await hands({ verb: "observe" });
  const set = observed.routes.filter(({ protocol }) => protocol === 3 || protocol === 4);
  return { ours: network.ours(observed), rules: observed.rules, routes: set };
}

/** What this kernel can make, on the cards that this server has. */
function fitting(config: NetworkConfig, macs: readonly string[]): NetworkConfig {
  const interfaces = Object.entries(config.interfaces).flatMap(([role, one]) => {
    if (one.device?.kind === "vlan") return [];
    const index = "mac" in one.bound ? MACS.findIndex((mac) => "mac" in one.bound && mac === one.bound.mac) : -1;
    return [[role, withoutVlans(index === -1 ? one : { ...one, bound: { mac: macs[index] ?? "" } })] as const];
  });
  return { ...config, interfaces: Object.fromEntries(interfaces) };
}

/** A kernel without VLANs has no bridges that tell them apart; the suite on a stock kernel has. */
function withoutVlans({ device, port, ...one }: InterfaceConfig): InterfaceConfig {
  const plain = device?.kind === "bridge" ? { ...device, vlans: undefined } : device;
  return {
    ...one,
    ...(plain === undefined ? {} : { device: plain }),
    ...(port === undefined ? {} : { port: { ...port, vlans: undefined } }),
  };
}

/** Enough for every construct to come up; each takes a real networkd some seconds. */
const CONFIGS = 6;
/** The same every time, so that a failure can be looked at. */
const SEED = 42;

const NAME =
  "generated configs, one after another, are read back as they were asked for, and the last undo leaves nothing";

test(NAME, { timeout: 400_000 }, async () => {
  const found = await look();
  const macs = await Promise.all(
    [0, 1, 2].map(async (index) => (await server.must(["cat", `/sys/class/net/eth${index}/address`])).trim()),
  );
  let confirmed: NetworkConfig | null = null;
  for (const generated of fc.sample(networkConfig, { numRuns: CONFIGS, seed: SEED })) {
    const desired = fitting(generated, macs);
    // Tried and undone first: the next plan begins where this one did.
    const before = await look();
    const tried = await hands({ verb: "try", desired, ...(confirmed === null ? {} : { confirmed }) });
    expect(tried.problems, JSON.stringify(desired)).toEqual([]);
    expect(await look(), JSON.stringify(desired)).toEqual(before);
    const put = await hands({ verb: "put", desired, ...(confirmed === null ? {} : { confirmed }) });
    expect(put.problems, JSON.stringify(desired)).toEqual([]);
    // Asked again there is nothing to do.
    expect((await hands({ verb: "plan", desired, confirmed: desired })).steps.map(({ id }) => id)).toEqual([]);
    confirmed = desired;
  }
  const released = await hands({ verb: "put", ...(confirmed === null ? {} : { confirmed }) });
  expect(released.problems).toEqual([]);
  expect(await look()).toEqual(found);
});
