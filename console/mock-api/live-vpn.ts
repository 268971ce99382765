import type { TunnelConfig, VpnConfig } from "@holdfast/domains/vpn/model.ts";

const usual = {
  clearText: "block",
  suite: "strong-2026",
  ikeProposals: ["aes256gcm16-prfsha384-ecp384"],
  childProposals: ["aes256gcm16-ecp384"],
  ikeSeconds: 43_200,
  childSeconds: 3600,
  deadSeconds: 30,
  deadThen: "restart",
} as const satisfies Partial<TunnelConfig>;

const mutable = (tunnel: Omit<TunnelConfig, keyof typeof usual>): TunnelConfig => ({
  ...usual,
  ikeProposals: [...usual.ikeProposals],
  childProposals: [...usual.childProposals],
  ...tunnel,
});

export const VPN: VpnConfig = {
  tunnels: {
    "seoul-busan": mutable({
      local: { address: "203.0.113.10", identity: "gw-seoul", networks: ["10.10.0.0/16"] },
      remote: { address: null, identity: "gw-busan", networks: ["10.20.10.0/24"] },
      peer: "busan (gw-busan)",
      initiates: false,
      keyFile: "seoul-busan-1",
    }),
    acme: mutable({
      local: { address: "203.0.113.10", identity: "gw-seoul", networks: ["10.10.0.0/16"] },
      remote: { address: "192.0.2.44", identity: "vpn.acme.example", networks: ["172.16.8.0/24"] },
      peer: "acme",
      via: "interface",
      initiates: true,
      keyFile: "acme-1",
    }),
  },
  people: {
    "remote-staff": {
      local: { address: "203.0.113.10", identity: "gw-seoul", networks: ["10.10.0.0/16"] },
      pools: ["10.99.0.0/24"],
      dns: ["10.10.0.53"],
      persons: {
        alice: { identity: "alice@example.com", keyFile: "vpn-alice.1.0123456789abcdef" },
        bob: { identity: "bob@example.com", keyFile: "vpn-bob.2.0123456789abcdef" },
        "min-ji": { identity: "min-ji@example.com", keyFile: "vpn-min-ji.1.0123456789abcdef" },
      },
      clearText: "block",
      suite: "strong-2026",
      ikeProposals: [...usual.ikeProposals],
      childProposals: [...usual.childProposals],
      ikeSeconds: 43_200,
      childSeconds: 3600,
      deadSeconds: 30,
    },
  },
};

/** What a module reports; e2e/console/observed-shapes.test.ts holds it to the real type. */
export function vpnObserved(seconds: number) {
  const listed = (name: string, local: string, remote: string, here: string, there: string) => ({
    name,
    labels: ["c-1"],
    localAddresses: [local],
    remoteAddresses: [remote],
    localIdentity: "",
    remoteIdentity: "",
    localNetworks: [here],
    remoteNetworks: [there],
    version: "IKEv2",
  });
  const person = (name: string, addresses: readonly string[], since: number, amount: number) => ({
    name: `holdfast-remote-staff--${name}`,
    state: "ESTABLISHED",
    localAddress: "203.0.113.10",
    remoteAddress: "198.51.100.80",
    establishedSeconds: since,
    rekeySeconds: 31_000,
    virtualAddresses: addresses,
    children: [{ label: "c-2", state: "INSTALLED", bytesIn: amount, bytesOut: amount * 9, rekeySeconds: 1200 }],
  });
  return {
    ipsec: {
      charon: {
        state: "up" as const,
        version: "5.9.8",
        dataPlane: "kernel" as const,
        conns: [
          listed("holdfast-seoul-busan", "203.0.113.10", "%any", "10.10.0.0/16", "10.20.10.0/24"),
          listed("holdfast-acme", "203.0.113.10", "192.0.2.44", "10.10.0.0/16", "172.16.8.0/24"),
          listed("old-office", "203.0.113.10", "198.51.100.90", "10.10.0.0/16", "10.90.0.0/24"),
        ],
        keys: ["ike-holdfast-seoul-busan--seoul-busan-1"],
        sas: [
          {
            name: "holdfast-seoul-busan",
            state: "ESTABLISHED",
            localAddress: "203.0.113.10",
            remoteAddress: "198.51.100.7",
            establishedSeconds: 9120,
            rekeySeconds: 31_000,
            children: [
              {
                label: "c-1",
                state: "INSTALLED",
                bytesIn: seconds * 1200,
                bytesOut: seconds * 8800,
                rekeySeconds: 1900,
              },
            ],
          },
          person("alice", ["10.99.0.1"], 5400, seconds * 640),
          person("min-ji", ["10.99.0.2"], 310, seconds * 90),
        ],
        pools: [{ name: "holdfast-pool-346b497141a5e73a", base: "10.99.0.0", size: 254, online: 2, offline: 1 }],
      },
      keyFiles: { "seoul-busan-1": null },
    },
    record: {},
    recordProblem: null,
    recordText: null,
    boot: null,
    swanctl: true,
    addresses: ["203.0.113.10/26", "10.10.0.1/16"],
    blocks: ["10.20.10.0/24", "172.16.8.0/24"],
    links: [{ name: "hfx-2ac81f07", id: 717_758_215, isUp: true }],
    into: [{ network: "172.16.8.0/24", link: "hfx-2ac81f07" }],
    canMakeLinks: true,
    routes: [],
    routesProblem: null,
    forwarding: true,
    lookupLost: [],
  };
}

const say = (severity: "danger" | "warning" | "note", code: string, message: string, remedy: string) => ({
  severity,
  code,
  path: "vpn.tunnels",
  message,
  remedy,
});

/** What the vpn module says of an act, for a server that is managed through the tunnel. */
export function tunnelFindings(act: string, tunnel: string) {
  if (act === "initiate")
    return [
      say(
        "note",
        "vpn.act_begins",
        `A key exchange for ${tunnel} begins; then packets between 10.10.0.0/16 and 172.16.8.0/24 pass encrypted.`,
        "Nothing is to be done.",
      ),
    ];
  if (act === "rekey")
    return [
      say(
        "note",
        "vpn.act_renews",
        "New keys are agreed with busan (gw-busan) while the old ones carry packets: nothing is interrupted.",
        "Should the ends not agree on new keys, the old ones carry packets until they run out: mend it before.",
      ),
    ];
  return [
    say(
      "danger",
      "vpn.act_cuts_management",
      `This server is managed from 10.20.10.0/24, or a part of it: while ${tunnel} is down it may not be reached any more.`,
      "Make sure that you reach this server by another way. The answer to this may be lost; nothing undoes it but the tunnel itself when it is agreed anew.",
    ),
    say(
      "warning",
      "vpn.act_cuts",
      "What is agreed with busan (gw-busan) for 9120 s, with 41200 bytes in the newest keys, ends: packets between 10.10.0.0/16 and 10.20.10.0/24 go nowhere until it is agreed anew, and connections that are open may break.",
      "Choose a time at which it hurts nobody. To keep the tunnel down, take it out of force by a change.",
    ),
    say(
      "note",
      "vpn.act_comes_back",
      `busan (gw-busan) begins ${tunnel} again when it will: a server of this house at once, or within half a minute.`,
      "Nothing is to be done; the live view shows when it is there.",
    ),
  ];
}
