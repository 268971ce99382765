import { Lab } from "@holdfast/testkit/servers/lab.ts";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADDRESS, type VpnPair, vpnPair } from "./vpn-pair.ts";
import { vpnPart } from "./vpn-part.ts";

/** What a real charon makes of generated tunnels, against what was meant. */

let lab: Lab;
let pair: VpnPair;
beforeAll(async () => {
  lab = Lab.open({ prefix: `hfw-${process.pid}` });
  pair = await vpnPair(lab);
});
afterAll(() => lab.close());

/** Behind ends that nobody has built: this server answers, and need not wait for any of them. */
const NETWORKS = {
  branch: ["10.72.0.0/24"],
  depot: ["10.73.0.0/16", "10.80.4.0/22"],
  "store-7": ["192.168.7.0/24"],
} as const;

const keys = fc.constantFrom("first", "second");
const tunnel = fc.record({
  key: keys,
  clearText: fc.constantFrom("block", "allow"),
  ike: fc.constantFrom("1h", "12h"),
  child: fc.constantFrom("30m", "1h"),
  dead: fc.constantFrom("10s", "2m"),
  reaction: fc.constantFrom("restart", "clear"),
  networks: fc.constantFrom("[10.71.0.0/24]", "[10.71.0.0/25]"),
});
const people = fc.record({
  pool: fc.constantFrom("10.99.0.0/24", "10.98.0.0/30"),
  dns: fc.constantFrom("", "    dns: [10.71.0.1]\n"),
  persons: fc.record({ alice: keys, bob: keys, "carol-2": keys }, { requiredKeys: ["alice"] }),
});
const world = fc.record({
  tunnels: fc.record({ branch: tunnel, depot: tunnel, "store-7": tunnel }, { requiredKeys: [] }),
  people: fc.option(people, { nil: null, freq: 2 }),
});

const TAIL = "via: policy\nsuite: strong-2026\ntraffic: { default: drop, rules: [] }\n";

type World = typeof world extends fc.Arbitrary<infer One> ? One : never;

/** As people write it, so that the composition is part of what is tried. */
function documentsOf({ tunnels, people: callers }: World): string {
  const between = Object.entries(tunnels).map(
    ([name, one]) => `apiVersion: holdfast/v1
kind: Tunnel
name: to-${name}
ends:
  a: { server: gw-a, address: ${ADDRESS.a}, networks: ${one.networks} }
  b: { server: ${name}, address: dynamic, networks: [${NETWORKS[name as keyof typeof NETWORKS].join(", ")}] }
clearText: ${one.clearText}
auth: { psk: "file:${one.key}" }
lifetime: { ike: ${one.ike}, child: ${one.child} }
dead: { after: ${one.dead}, then: ${one.reaction} }
${TAIL}---
apiVersion: holdfast/v1
kind: Server
name: ${name}
---
`,
  );
  const road =
    callers === null
      ? ""
      : `apiVersion: holdfast/v1
kind: Tunnel
name: road
ends:
  a: { server: gw-a, address: ${ADDRESS.a}, networks: [10.71.0.0/24] }
  staff:
    address: dynamic
    networks: [${callers.pool}]
${callers.dns}    people:
${Object.entries(callers.persons)
  .map(([name, key]) => `      ${name}: { identity: ${name}@example.com, psk: "file:${key}" }\n`)
  .join("")}clearText: block
auth: { psk: each }
lifetime: { ike: 12h, child: 1h }
dead: { after: 30s, then: clear }
${TAIL}---
`;
  return `${between.join("")}${road}apiVersion: holdfast/v1\nkind: Server\nname: gw-a\n`;
}

/** What is loaded, blocked and kept, by strongSwan's own and the kernel's word. */
const LOOK =
  "swanctl --list-conns; swanctl --list-pools; ip route show type blackhole; ls /etc/swanctl/conf.d /etc/swanctl/private 2>/dev/null; cat /var/lib/holdfast/vpn/*.json 2>/dev/null; exit 0";

const CONFIGS = 6;
/** The same every time, so that a failure can be looked at. */
const SEED = 11;

test("generated tunnels and people, one set on the other: applied, read back, undone and confirmed; released, nothing is left", async () => {
  const { a: server } = pair;
  const worlds = fc
    .sample(world, { numRuns: CONFIGS * 2, seed: SEED })
    .filter(({ tunnels, people: callers }) => Object.keys(tunnels).length > 0 || callers !== null)
    .slice(0, CONFIGS);
  expect(worlds.some(({ people: callers }) => callers !== null)).toBe(true);
  expect(worlds.some(({ tunnels }) => Object.keys(tunnels).length > 1)).toBe(true);
  const configs = worlds.map((one) => vpnPart(documentsOf(one), "gw-a"));
  await server.writeFile("/run/configs.json", JSON.stringify(configs));
  await server.must(["mkdir", "-p", "/run/holdfast", "/var/lib/holdfast/vpn"]);
  const look = async (): Promise<string> => (await server.exec(["sh", "-c", LOOK])).stdout;
  const found = await look();
  const main = `${server.repo}/agent/test/generated-hands-main.ts`;
  const program = [server.nodeBinary, "--disable-warning=ExperimentalWarning", main, "vpn", "/run/configs.json"];
  const answer = JSON.parse(await server.must(program, { timeoutMs: 500_000 })) as {
    readonly steps: number;
    readonly problems: readonly string[];
  };
  expect(answer.problems, JSON.stringify(configs)).toEqual([]);
  expect(answer.steps).toBeGreaterThan(20);
  expect(await look()).toBe(found);
}, 600_000);
