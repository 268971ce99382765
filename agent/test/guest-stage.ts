import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { wantedOf } from "@holdfast/domains/vpn/conn.ts";
import { parseVpnConfig } from "@holdfast/domains/vpn/parse-config.ts";
import { bootText } from "@holdfast/domains/vpn/render.ts";
import type { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { GuestFile } from "@holdfast/testkit/vm/guest-disk.ts";
import { Guest } from "@holdfast/testkit/vm/guest.ts";
import { bundled } from "./bundled.ts";
import type { HandsAnswer, HandsWish } from "./domain-hands-main.ts";
import { ADDRESS, INSIDE, KEYS } from "./vpn-pair.ts";

/**
 * A server with a stock kernel. Its eth0 and eth1 are on the same switches as eth2 and eth3, which are in a network namespace of the guest called
 * `peer`: the other end of every wire, without a second guest.
 */
const HANDS = "/usr/lib/holdfast-lab/hands.mjs";

export async function guestWithPeer(
  lab: Lab,
  name: string,
  more: Readonly<Record<string, GuestFile>> = {},
): Promise<Guest> {
  const files = {
    ...more,
    [HANDS]: { content: bundled("agent/test/domain-hands-main.ts") },
    "/etc/holdfast/secrets/vpn/first": { content: `${KEYS.first}\n`, mode: 0o600 },
  };
  const guest = await Guest.start(lab, { name, cards: ["one", "two", "one", "two"], files });
  await inGuest(guest, ["systemctl enable --now systemd-networkd"]);
  await layPeer(guest);
  return guest;
}

/** Gone with each boot. */
export async function layPeer(guest: Guest): Promise<void> {
  await inGuest(guest, [
    "ip netns add peer",
    "ip link set eth2 netns peer",
    "ip link set eth3 netns peer",
    "ip -n peer link set lo up",
  ]);
}

export function inGuest(guest: Guest, lines: readonly string[]): Promise<string> {
  return guest.must(["sh", "-c", ["set -e", ...lines].join("\n")]);
}

export function inPeer(guest: Guest, lines: readonly string[]): Promise<string> {
  return guest.must(["ip", "netns", "exec", "peer", "sh", "-c", ["set -e", ...lines].join("\n")]);
}

/** Wishes to the hands of one domain, in one program. */
export async function hands(
  guest: Guest,
  domain: string,
  wishes: readonly HandsWish[],
): Promise<readonly HandsAnswer[]> {
  const argv = [guest.nodeBinary, "--disable-warning=ExperimentalWarning", HANDS, domain, JSON.stringify(wishes)];
  return JSON.parse(await guest.must(argv, { timeoutMs: 300_000 })) as readonly HandsAnswer[];
}

/** Whether an address of the peer answers. */
export async function answers(guest: Guest, address: string, source?: string): Promise<boolean> {
  const from = source === undefined ? [] : ["-I", source];
  return (await guest.exec(["ping", "-n", "-c", "1", "-W", "3", ...from, address])).code === 0;
}

/** A wire between the two, a network behind each, and strongSwan in the guest. */
export async function layVpnWire(guest: Guest): Promise<void> {
  await inGuest(guest, [
    "ip link add wan0 type veth peer name wan0 netns peer",
    `ip address add ${ADDRESS.b}/24 dev wan0`,
    "ip link set wan0 up",
    "ip link add in0 type dummy",
    `ip address add ${INSIDE.b}/24 dev in0`,
    "ip link set in0 up",
    "sysctl -qw net.ipv4.ip_forward=1",
    "systemctl start strongswan.service",
  ]);
  await inPeer(guest, [
    `ip address add ${ADDRESS.a}/24 dev wan0`,
    "ip link set wan0 up",
    `ip address add ${INSIDE.a}/24 dev lo`,
  ]);
}

const PEER_FOLDER = "/run/holdfast-peer";

/** A second charon, in the namespace of the peer, with its end of the tunnel as strongSwan reads it from a file. Its unit is `peer-charon`. */
export async function startPeerCharon(guest: Guest, end: Json): Promise<void> {
  const parsed = parseVpnConfig(end);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings));
  const wanted = wantedOf(parsed.config);
  const secrets = wanted.map(({ key }) => {
    const owners = key.owners.map((owner, index) => `    id-${String(index)} = "${owner}"`);
    return ["secrets {", "  ike-peer {", ...owners, `    secret = "${KEYS.first}"`, "  }", "}", ""].join("\n");
  });
  const conns = bootText(wanted);
  await guest.writeFile(`${PEER_FOLDER}/swanctl/swanctl.conf`, [conns, ...secrets].join("\n"), 0o600);
  await guest.writeFile(`${PEER_FOLDER}/strongswan.conf`, PEER_CONF);
  await inGuest(guest, [
    "systemd-run --quiet --unit=peer-charon --setenv=STRONGSWAN_CONF=/run/holdfast-peer/strongswan.conf ip netns exec peer charon-systemd",
    "tries=0; until [ -S /run/holdfast-peer/vici ]; do tries=$((tries + 1)); [ $tries -lt 300 ]; sleep 0.2; done",
    "SWANCTL_DIR=/run/holdfast-peer/swanctl STRONGSWAN_CONF=/run/holdfast-peer/strongswan.conf swanctl --load-all --uri unix:///run/holdfast-peer/vici",
  ]);
}

const PEER_CONF = `charon-systemd {
  load_modular = yes
  plugins {
    include /etc/strongswan.d/charon/*.conf
    vici {
      load = yes
      socket = unix://${PEER_FOLDER}/vici
    }
    kernel-netlink {
      load = yes
    }
    stroke {
      load = no
    }
  }
}
swanctl {
  load = pem pkcs1 x509 revocation constraints pubkey openssl random
}
`;
