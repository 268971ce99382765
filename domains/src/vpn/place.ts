import type { Finding } from "@holdfast/core/base/finding.ts";
import { contains, isSubset, overlaps, setOfNetwork } from "@holdfast/core/net/address-set.ts";
import { formatAddress } from "@holdfast/core/net/address.ts";
import { type InterfaceAddress, parseInterfaceAddress } from "@holdfast/core/net/network.ts";
import { parseSecretFile } from "@holdfast/core/secret/secret-file.ts";
import { oncePerGroup, type Wanted } from "./conn.ts";
import { KEY_FOLDER, type VpnObserved } from "./facts.ts";
import { finding } from "./findings.ts";
import { networkSet } from "./guard.ts";
import type { TunnelLink } from "./link.ts";
import { liveOf } from "./live.ts";

/** Debian's packages of what people with a password need of strongSwan. */
const PASSWORD_PACKAGES: Readonly<Record<string, string>> = {
  "eap-mschapv2": "libcharon-extauth-plugins",
  "eap-identity": "libcharon-extra-plugins",
};

/** Whether this server can carry these tunnels: what is missing is said before anything changes. */
export function placeFindings(wanted: readonly Wanted[], observed: VpnObserved): readonly Finding[] {
  const own = observed.addresses.flatMap((text) => {
    const parsed = parseInterfaceAddress(text);
    return parsed.ok ? [parsed.value] : [];
  });
  return [
    ...daemonFindings(observed),
    ...wanted.flatMap((one) => keyFindings(one, observed)),
    ...oncePerGroup(wanted).flatMap((one) => tunnelFindings(one, observed, own)),
    ...fullPools(wanted, observed),
  ];
}

function daemonFindings(observed: VpnObserved): readonly Finding[] {
  const strange = (liveOf(observed)?.conns ?? []).filter(
    ({ labels }) => !labels.every((label) => observed.record[label] !== undefined),
  );
  return [
    ...missingFindings(observed),
    ...strange.map(({ name }) =>
      finding(
        "vpn.unknown_conn",
        "vpn",
        `A connection ${name} is loaded that this agent did not load, so an undo could not bring it back.`,
      ),
    ),
  ];
}

/** Without these no tunnel works here, whatever it is. */
export function missingFindings(observed: VpnObserved): readonly Finding[] {
  const { charon } = observed.ipsec;
  const swanctl = observed.swanctl
    ? []
    : [finding("vpn.swanctl_missing", "vpn", "There is no folder /etc/swanctl/conf.d on this server.")];
  if (charon.state === "down")
    return [finding("vpn.charon_down", "vpn", `strongSwan does not answer on this server: ${charon.why}.`), ...swanctl];
  return [
    ...swanctl,
    ...(charon.dataPlane === "none"
      ? [
          finding(
            "vpn.no_data_plane",
            "vpn",
            "Nothing on this server can encrypt packets: its kernel has no ESP, and strongSwan runs without kernel-libipsec.",
          ),
        ]
      : []),
  ];
}

/** Whether the kernel can give a tunnel an interface. */
export function interfaceFindings(path: string, { ipsec, canMakeLinks }: VpnObserved): readonly Finding[] {
  const { charon } = ipsec;
  const lacks = (why: string): Finding => finding("vpn.kernel_lacks_interface", `${path}.via`, why);
  return [
    ...(canMakeLinks === false ? [lacks("The kernel of this server cannot make an XFRM interface.")] : []),
    ...(charon.state === "up" && charon.dataPlane === "libipsec"
      ? [lacks("strongSwan encrypts packets itself here (kernel-libipsec), which knows no interfaces of tunnels.")]
      : []),
  ];
}

/** Whether strongSwan can ask people for a password. */
export function passwordFindings(path: string, { ipsec: { charon } }: VpnObserved): readonly Finding[] {
  const lacks = charon.state === "up" ? (charon.passwordLacks ?? []) : [];
  if (lacks.length === 0) return [];
  const message = `strongSwan cannot ask people for a password on this server: it runs without ${lacks.map((one) => `${one} (${PASSWORD_PACKAGES[one] ?? "libstrongswan-standard-plugins"})`).join(" and ")}.`;
  return [finding("vpn.no_password_plugin", path, message)];
}

/** Whether this tunnel can have the interface that it is to have. */
function linkFindings(link: TunnelLink, path: string, observed: VpnObserved): readonly Finding[] {
  const foreign = observed.links.find(({ name, id }) => id === link.id && name !== link.name);
  return [
    ...interfaceFindings(path, observed),
    ...(foreign === undefined
      ? []
      : [
          finding(
            "vpn.interface_taken",
            `${path}.via`,
            `The number ${link.id}, by which the interface of this tunnel would be known, is that of ${foreign.name}.`,
          ),
        ]),
  ];
}

/** What the store sends comes with the change itself; the guard refuses a change that comes without. */
function keyFindings({ path, key, conn }: Wanted, { ipsec: { keyFiles } }: VpnObserved): readonly Finding[] {
  if (parseSecretFile(key.file).ok) return [];
  const problem = Object.hasOwn(keyFiles, key.file) ? keyFiles[key.file] : "there is no such file";
  if (problem === null || problem === undefined) return [];
  const message = `The key ${KEY_FOLDER}/${key.file} cannot be used: ${problem}.`;
  return [finding("vpn.key_missing", `vpn.${path}.${conn.password === undefined ? "psk" : "password"}`, message)];
}

/** Who connects next gets no address, is not told why, and tries again. */
function fullPools(wanted: readonly Wanted[], observed: VpnObserved): readonly Finding[] {
  return oncePerGroup(wanted).flatMap(({ group, pools }) => {
    const seen = (liveOf(observed)?.pools ?? []).filter(({ name }) => pools.some((pool) => pool.name === name));
    const size = seen.reduce((sum, one) => sum + one.size, 0);
    const online = seen.reduce((sum, one) => sum + one.online, 0);
    if (seen.length === 0 || online < size) return [];
    const message = `All ${size} addresses of ${pools.map(({ network }) => network).join(", ")} are given out at this moment: whoever of ${group} connects next is turned away.`;
    return [finding("vpn.pool_full", `vpn.people.${group}.pools`, message)];
  });
}

/** The two ends as findings point at them. */
function placesOf({ tunnel, group, pools }: Wanted): Readonly<Record<"own" | "local" | "there", string>> {
  if (pools.length === 0) {
    const own = `vpn.tunnels.${tunnel}`;
    return { own, local: `${own}.local`, there: `${own}.remote.networks` };
  }
  const own = `vpn.people.${group}`;
  return { own, local: `${own}.local`, there: `${own}.pools` };
}

function tunnelFindings(wanted: Wanted, observed: VpnObserved, own: readonly InterfaceAddress[]): readonly Finding[] {
  const { group: tunnel, config, link } = wanted;
  const at = placesOf(wanted);
  const { charon } = observed.ipsec;
  const findings: Finding[] = [];
  const { local, remote, clearText } = config;
  if (local.address !== null && !own.some(({ address }) => formatAddress(address) === local.address))
    findings.push(
      finding("vpn.address_not_here", `${at.local}.address`, `This server has no address ${local.address}.`),
    );
  const there = networkSet(remote.networks);
  const swallowed = own.filter(({ network }) => overlaps(setOfNetwork(network), there));
  if (swallowed.length > 0)
    findings.push(
      finding(
        "vpn.remote_network_is_local",
        at.there,
        `This server itself is in ${swallowed.map(({ address }) => formatAddress(address)).join(", ")}, within the networks of the other end of ${tunnel}.`,
      ),
    );
  // charon's own data plane makes a way out of each network, from an address in it, or refuses the child.
  const isOwnPlane = charon.state === "up" && charon.dataPlane === "libipsec";
  const without = local.networks.filter(
    (network) => !own.some(({ address }) => contains(networkSet([network]), address)),
  );
  if (isOwnPlane ? without.length > 0 : clearText === "block" && without.length === local.networks.length)
    findings.push(
      finding(
        "vpn.no_address_in_networks",
        `${at.local}.networks`,
        isOwnPlane && without.length < local.networks.length
          ? `This server has no address in ${without.join(", ")}, and strongSwan encrypts packets itself here (kernel-libipsec), which takes no packets of others from there.`
          : `This server has no address in ${without.join(", ")}.`,
      ),
    );
  const around = observed.routes.filter((route) => isSubset(networkSet([route]), there));
  if (clearText === "block" && around.length > 0)
    findings.push(
      finding(
        "vpn.block_bypassed",
        at.there,
        `Other routes lead to ${around.join(", ")}, within the networks of the other end of ${tunnel}.`,
      ),
    );
  if (!observed.forwarding)
    findings.push(
      finding(
        "vpn.forwarding_off",
        at.own,
        `This server does not pass on packets of others, so ${tunnel} serves it alone.`,
      ),
    );
  if (wanted.conn.password !== undefined) findings.push(...passwordFindings(at.own, observed));
  if (link !== null) findings.push(...linkFindings(link, at.own, observed));
  else if (charon.state === "up" && charon.dataPlane === "kernel")
    findings.push(
      finding(
        "vpn.masquerade_first",
        at.own,
        `Packets for the other end of ${tunnel} are translated before they are encrypted, where a rule for the way out catches them; then the tunnel does not take them.`,
      ),
    );
  return findings;
}
