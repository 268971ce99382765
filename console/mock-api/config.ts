import type { DomainName } from "@holdfast/core/domain.ts";
import type { Foreign } from "@holdfast/core/foreign.ts";
import type { FirewallConfig } from "@holdfast/domains/firewall/model.ts";
import { NETWORK, networkObserved } from "./live-network.ts";
import { SYSTEM, systemObserved } from "./live-system.ts";
import { VPN, vpnObserved } from "./live-vpn.ts";

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

const EFFECTIVE_CONFIG = {
  digest: "5f2b8c1e9a7d4f6035c2e1b8a9d7f6045c3e2b1a8f9d7c6e5b4a392817f6e5d4",
  config: { server: "web-1", domains: { system: SYSTEM, network: NETWORK, firewall, vpn: VPN } },
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
    ...(
      [
        ["network.interfaces.wan.ipv4", 40],
        ["network.interfaces.wan.mtu", 39],
        ["network.interfaces.staff.vlan", 50],
        ["network.forwarding.ipv4", 36],
        ["system.hostname", 61],
        ["system.timezone", 62],
        ["system.ntp.servers", 64],
        ["system.sysctl.net.core.somaxconn", 67],
        ["system.sysctl.net.ipv4.conf.all.rp_filter", 68],
        ["system.ssh.port", 71],
        ["system.ssh.rootLogin", 72],
        ["system.ssh.passwords", 73],
        ["system.ssh.allowGroups", 74],
        ["system.units.fail2ban.service", 77],
        ["system.tasks.backup", 81],
        ["system.limits.everyone", 82],
        ["system.proxy", 101],
        ["system.passwords.quality.length", 102],
        ["system.passwords.age.most", 104],
        ["system.passwords.lockout.after", 106],
        ["system.users.kim", 80],
        ["system.users.ana", 86],
        ["system.users.jules", 92],
        ["system.updates.install", 98],
        ["system.updates.window", 99],
        ["system.updates.restart", 100],
      ] as const
    ).map(([item, line]) => ({
      item,
      from: { document: "Policy/web-host", revision: 3, layer: "role", path: item, line },
      beat: [],
    })),
    {
      item: "vpn.tunnels.seoul-busan",
      from: { document: "Tunnel/seoul-busan", revision: 2, layer: "tunnel", path: "ends", line: 6 },
      beat: [],
    },
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

/** A server whose firewall only observes. */
const OBSERVING = "mon-1";

export function effectiveConfig(server: string): unknown {
  if (server !== OBSERVING) return EFFECTIVE_CONFIG;
  const inbound = firewall.inbound;
  const observing: FirewallConfig = {
    ...firewall,
    mode: "observe",
    ...(inbound === undefined
      ? {}
      : {
          inbound: {
            ...inbound,
            rules: [...inbound.rules, { name: "telnet", verb: "reject", services: ["tcp/23"], from: [{}], to: [{}] }],
          },
        }),
  };
  const { config } = EFFECTIVE_CONFIG;
  return {
    ...EFFECTIVE_CONFIG,
    config: { ...config, server, domains: { ...config.domains, firewall: observing } },
    provenance: EFFECTIVE_CONFIG.provenance.map((entry) =>
      entry.item.startsWith("firewall.") ? { ...entry, from: { ...entry.from, document: "Policy/monitoring" } } : entry,
    ),
  };
}

/** Of a domain of a server: what a module of the version of this repository reports. */
interface Reported {
  readonly domain: DomainName;
  readonly observed: unknown;
  readonly differences: readonly { readonly path: string; readonly expected: string; readonly found: string }[];
}

/** As modules tell it: what a server had before it was taken over, and what other programs set beside us. */
const FOREIGN: Readonly<Record<DomainName, Foreign>> = {
  system: {
    blocks: [
      {
        source: "/etc/ssh/sshd_config",
        title: "Include /etc/ssh/sshd_config.d/*.conf",
        text: "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
      },
      {
        source: "/etc/ssh/sshd_config",
        title: "Match User backup",
        text: "Match User backup\n  ForceCommand internal-sftp\n",
      },
    ],
    left: 0,
    unreadable: [],
  },
  network: {
    blocks: [
      { source: "/etc/systemd/network/50-wg0.netdev", title: "[NetDev]", text: "[NetDev]\nName=wg0\nKind=wireguard\n" },
      { source: "/etc/systemd/network/50-wg0.netdev", title: "[WireGuard]", text: null },
    ],
    left: 0,
    unreadable: [],
  },
  firewall: {
    blocks: [
      {
        source: "nft list ruleset",
        title: "table ip docker {",
        text: 'table ip docker {\n\tchain forward {\n\t\ttype filter hook forward priority filter; policy accept;\n\t\tiifname "br-1" accept\n\t}\n}\n',
      },
    ],
    left: 0,
    unreadable: [],
  },
  vpn: { blocks: [], left: 0, unreadable: [] },
};

export function liveState(server: string, drift: readonly string[], nowMs: number): unknown {
  const seconds = Math.floor(nowMs / 1000) % 100_000;
  const isDrift = (domain: DomainName): boolean => drift.includes(domain);
  const reported: readonly Reported[] = [
    {
      domain: "system",
      observed: systemObserved(server, isDrift("system")),
      differences: [
        { path: "sysctl:net.core.somaxconn", expected: "4096", found: "128" },
        {
          path: "ssh",
          expected: "what the policy says",
          found: "sshd would have passwordauthentication yes and not no: another file of its configuration says so",
        },
        { path: "unit:fail2ban.service:running", expected: "running", found: "stopped" },
        { path: "user:ana", expected: "open until 2027-06-30", found: "absent" },
      ],
    },
    {
      domain: "network",
      observed: networkObserved(isDrift("network"), seconds),
      differences: [
        { path: "interfaces.wan.mtu", expected: "1500", found: "1400" },
        { path: "interfaces.wan.addresses", expected: "absent", found: "203.0.113.44/26" },
        { path: "forwarding.ipv4", expected: "off", found: "on" },
      ],
    },
    {
      domain: "firewall",
      observed: firewallObserved(seconds),
      differences: [{ path: "chains.rules_inbound.rules[2]", expected: "absent", found: "tcp dport 8443 accept" }],
    },
    { domain: "vpn", observed: vpnObserved(seconds), differences: [] },
  ];
  const confirmed = "5f2b8c1e9a7d4f60".repeat(4);
  return {
    at: new Date(nowMs).toISOString(),
    generation: 41,
    bootId: "7d1f3a52-9c0e-4a83-9d2c-5b7d0c0f7a11",
    open: null,
    domains: reported.map(({ domain, observed, differences }) => ({
      domain,
      observed,
      foreign: FOREIGN[domain],
      liveDigest: isDrift(domain) ? "9c1d7e3b5a2f4860".repeat(4) : confirmed,
      confirmedDigest: confirmed,
      drift: isDrift(domain),
      differences: isDrift(domain) ? differences : [],
      error: "",
    })),
  };
}

/** What a module reports, as in live-network.ts. Counters move, so that a page which does not ask again is seen to be old. */
export function firewallObserved(seconds: number) {
  const count = (factor: number): { packets: number; bytes: number } => ({
    packets: Math.round(seconds * factor),
    bytes: seconds * factor * 412,
  });
  return {
    table: null,
    counts: {
      c_inbound_web: count(31),
      c_inbound_ssh: count(1),
      c_inbound_metrics: count(2),
      c_inbound_ping: count(3),
      d_inbound: count(7),
      d_outbound: count(44),
      od_inbound: count(5),
      o_inbound_telnet: count(1),
      o_inbound_ssh_limited: count(0.25),
    },
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
    interfaces: [{ name: "eth0", mac: "52:54:00:aa:10:01", kind: null, addresses: ["203.0.113.10"] }],
    forwarding: { ipv4: false, ipv6: false },
    legacyTables: [],
  };
}
