import fc from "fast-check";
import { expect, test } from "vitest";
import { networkConfig } from "../../test/network-arbitrary.ts";
import { BARE_SERVER } from "../../test/network-server.ts";
import { network } from "./domain.ts";
import type { NetworkConfig } from "./model.ts";
import { parseNetworkConfig } from "./parse-config.ts";
import { renderFiles } from "./render.ts";

/** What a string could be that is no address, no name and no domain: none of it may become a line of a file or a word of a command. */
const HOSTILE = [
  "10.0.0.1/24\nDHCP=yes",
  "10.0.0.1/24 # more",
  "$(reboot)",
  "`id`",
  "; rm -rf /",
  "-j",
  "--help",
  '"quoted"',
  "[Match]",
  "eth0\u0000",
  "éth0",
  "\u202e0.0.0.01",
  " 10.0.0.1/24",
  "",
  "a".repeat(65_536),
] as const;

const SAMPLE: NetworkConfig = {
  reachedAt: ["10.0.0.1"],
  forwarding: {},
  interfaces: {
    wan: {
      bound: { name: "eth0" },
      enable: true,
      ipv4: { method: "static", addresses: ["10.0.0.1/24"], gateways: [{ via: "10.0.0.254", onLink: false }], use: [] },
      ipv6: { method: "none", addresses: [], gateways: [], use: [] },
      routes: [{ to: "10.1.0.0/16", via: "10.0.0.253", table: 254, onLink: false, source: "10.0.0.1" }],
      rules: [{ priority: 1000, from: "10.0.0.1/32", to: "10.9.0.0/16", in: "wan", table: 100 }],
      dns: ["9.9.9.9"],
      search: ["example.com"],
      dhcpServer: { first: 10, last: 20, leaseSeconds: 3600, dns: ["9.9.9.9"], gateway: true },
    },
  },
};

/** The same config with one string replaced, for each string in it. Words of a fixed set are checked by the schema, and stand here too. */
function withEach(text: string): readonly { readonly where: string; readonly config: unknown }[] {
  const found: { where: string; config: unknown }[] = [];
  const walk = (value: unknown, path: readonly (string | number)[]): void => {
    if (typeof value === "string") {
      const config: unknown = structuredClone(SAMPLE);
      let at = config as Record<string | number, unknown>;
      for (const key of path.slice(0, -1)) at = at[key] as typeof at;
      at[path.at(-1) ?? ""] = text;
      found.push({ where: path.join("."), config });
    } else if (typeof value === "object" && value !== null)
      for (const [key, inner] of Object.entries(value))
        walk(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  };
  walk(SAMPLE, []);
  return found;
}

test("the sample itself passes", () => {
  expect(parseNetworkConfig(SAMPLE)).toMatchObject({ ok: true });
});

test.each(HOSTILE.map((text) => [JSON.stringify(text.slice(0, 40)), text]))(
  "%s passes the door at no field",
  (_, text) => {
    for (const { where, config } of withEach(text)) {
      const parsed = parseNetworkConfig(config);
      expect(parsed.ok, where).toBe(false);
      if (!parsed.ok) expect(parsed.findings[0]).toMatchObject({ code: "network.config", severity: "error" });
    }
    const named = { ...SAMPLE, interfaces: { [text]: SAMPLE.interfaces["wan"] } };
    expect(parseNetworkConfig(named).ok, "as the name of a role").toBe(false);
  },
);

test.each([
  ["a field that nobody knows", { ...SAMPLE, renderer: "netplan" }],
  ["no config at all", null],
  ["a list", []],
  ["a network where an address is meant", { ...SAMPLE, reachedAt: ["10.0.0.0/24"] }],
  ["an address that is written in another way", { ...SAMPLE, reachedAt: ["2001:DB8::1"] }],
])("%s is refused", (_, config) => {
  expect(parseNetworkConfig(config).ok).toBe(false);
});

function changed(change: Partial<NetworkConfig["interfaces"][string]>): unknown {
  return { ...SAMPLE, interfaces: { wan: { ...SAMPLE.interfaces["wan"], ...change } } };
}

test.each([
  [
    "an IPv6 address under ipv4",
    changed({ ipv4: { method: "static", addresses: ["fd00::1/64"], gateways: [], use: [] } }),
  ],
  [
    "a network with host bits as a destination",
    changed({ routes: [{ to: "10.1.0.1/16", table: 254, onLink: false }] }),
  ],
  [
    "a dead end with a next hop",
    changed({ routes: [{ to: "10.1.0.0/16", is: "blackhole", via: "10.0.0.2", table: 254, onLink: false }] }),
  ],
  ["a rule for every packet", changed({ rules: [{ priority: 1, table: 100 }] })],
  ["a rule that comes before the kernel's own", changed({ rules: [{ priority: 0, from: "10.0.0.0/24", table: 100 }] })],
  [
    "a member that is no interface of the config",
    changed({ device: { kind: "bridge", members: ["lan"], stp: false } }),
  ],
  [
    "a VLAN bound by hardware address",
    changed({ bound: { mac: "52:54:00:aa:10:01" }, device: { kind: "vlan", id: 1, parent: "wan" } }),
  ],
  ["a hardware address in capitals", changed({ bound: { mac: "52:54:00:AA:10:01" } })],
  ["packets of 20 bytes", changed({ mtu: 20 })],
])("%s is refused", (_, config) => {
  expect(parseNetworkConfig(config).ok).toBe(false);
});

test("no line of a rendered file holds anything but a key and a value of known letters", () => {
  fc.assert(
    fc.property(networkConfig, (config) => {
      for (const text of Object.values(renderFiles(config, BARE_SERVER.links, { mtu: {}, forwarding: {} })))
        for (const line of text.split("\n"))
          expect(line).toMatch(
            /^(#[ -~]*|\[[A-Za-z0-9]+\]|[A-Za-z0-9]+=[a-zA-Z0-9 .:/!_+@-]*|net\.[a-z0-9._]+ = [01]|)$/,
          );
      expect(network.parseConfig(structuredClone(config)).ok).toBe(true);
    }),
  );
});
