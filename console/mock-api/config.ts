import type { FirewallConfig } from "@holdfast/domains/firewall/model.ts";

const OFFICE = ["203.0.113.0/26", "2001:db8:f1::/64"];

/** The effective config of a web server, fixed: the mock does not compose. */
const firewall: FirewallConfig = {
  mode: "enforce",
  floor: { inbound: [{ name: "operations", networks: ["203.0.113.0/26"], tcpPorts: [22] }], controlPlane: [] },
  interfaces: {},
  zones: {},
  sets: { office: OFFICE, "role:monitoring": ["203.0.113.40"] },
  inbound: {
    default: "drop",
    log: { count: 5, per: "second" },
    rules: [
      { name: "web", verb: "allow", services: ["tcp/80", "tcp/443", "udp/443"], from: [{}], to: [{}] },
      {
        name: "ssh",
        verb: "allow",
        services: ["tcp/22"],
        from: [{ set: "office" }],
        to: [{}],
        limit: { rate: { count: 10, per: "minute" }, per: "source", burst: 10 },
      },
      { name: "metrics", verb: "allow", services: ["tcp/9100"], from: [{ set: "role:monitoring" }], to: [{}] },
      { name: "ping", verb: "allow", services: ["icmp/echo"], from: [{}], to: [{}] },
    ],
  },
  outbound: { default: "allow", rules: [] },
  needs: [],
};

export const EFFECTIVE_CONFIG = {
  digest: "5f2b8c1e9a7d4f6035c2e1b8a9d7f6045c3e2b1a8f9d7c6e5b4a392817f6e5d4",
  config: { firewall },
  provenance: [
    {
      item: "firewall.mode",
      from: { document: "Policy/web-host", revision: 3, layer: "role", path: "firewall.mode", line: 12 },
      beat: [{ document: "Policy/fleet-base", revision: 7, layer: "fleet", value: "observe" }],
    },
    {
      item: "firewall.inbound.default",
      from: { document: "Policy/web-host", revision: 3, layer: "role", path: "firewall.inbound.default", line: 14 },
      beat: [],
    },
    ...["web", "ssh", "metrics", "ping"].map((rule, index) => ({
      item: `firewall.inbound.rules.${rule}`,
      from: {
        document: "Policy/web-host",
        revision: 3,
        layer: "role",
        path: `firewall.inbound.rules[${index}]`,
        line: 17 + index * 3,
      },
      beat: [],
    })),
    {
      item: "firewall.floor.inbound.operations",
      from: { document: "Floor/operations", revision: 1, layer: "floor", path: "management[0]", line: 7 },
      beat: [],
    },
  ],
  native: {
    firewall: `table inet holdfast {
	chain hook_inbound {
		type filter hook input priority filter; policy drop;
		jump locked_inbound
		jump rules_inbound
		counter name "d_inbound" drop
	}
	chain rules_inbound {
		tcp dport { 80, 443 } counter name "c_inbound_web" accept
		ip saddr @s_office_4 tcp dport 22 counter name "c_inbound_ssh" accept
	}
}
`,
  },
};

export function liveState(server: string, drift: readonly string[], nowMs: number): unknown {
  // Counters that move, so that a page which does not ask again is seen to be old.
  const seconds = Math.floor(nowMs / 1000) % 100_000;
  const count = (factor: number): { packets: number; bytes: number } => ({
    packets: seconds * factor,
    bytes: seconds * factor * 412,
  });
  const live = drift.includes("firewall") ? "9c1d7e3b5a2f4860" : "5f2b8c1e9a7d4f60";
  return {
    at: new Date(nowMs).toISOString(),
    generation: 41,
    bootId: "7d1f3a52-9c0e-4a83-9d2c-5b7d0c0f7a11",
    open: null,
    domains: [
      {
        domain: "firewall",
        observed: {
          unreadable: null,
          foreignHooks: [
            {
              family: "ip",
              table: "filter",
              name: "f2b-sshd",
              type: "filter",
              hook: "input",
              priority: -1,
              policy: "accept",
            },
          ],
          foreignOwners: ["fail2ban"],
          legacyTables: [],
          forwarding: { ipv4: false, ipv6: false },
          interfaces: [{ name: "eth0", mac: "52:54:00:aa:10:01", kind: null, addresses: ["203.0.113.10"] }],
          counters: {
            c_inbound_web: count(31),
            c_inbound_ssh: count(1),
            c_inbound_metrics: count(2),
            c_inbound_ping: count(3),
            d_inbound: count(7),
            d_outbound: count(44),
          },
          server,
        },
        liveDigest: live.repeat(4),
        confirmedDigest: "5f2b8c1e9a7d4f60".repeat(4),
        drift: drift.includes("firewall"),
        error: "",
      },
    ],
  };
}
