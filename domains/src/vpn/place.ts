import type { Finding } from "@holdfast/core/base/finding.ts";
import { contains, isSubset, overlaps, setOfNetwork } from "@holdfast/core/net/address-set.ts";
import { formatAddress } from "@holdfast/core/net/address.ts";
import { type InterfaceAddress, parseInterfaceAddress } from "@holdfast/core/net/network.ts";
import { parseSecretFile } from "@holdfast/core/secret/secret-file.ts";
import type { Wanted } from "./conn.ts";
import { KEY_FOLDER, type VpnObserved } from "./facts.ts";
import { finding } from "./findings.ts";
import { networkSet } from "./guard.ts";
import type { TunnelLink } from "./link.ts";
import { liveOf } from "./live.ts";

/** Whether this server can carry these tunnels: what is missing is said before anything changes. */
export function placeFindings(wanted: readonly Wanted[], observed: VpnObserved): readonly Finding[] {
  const own = observed.addresses.flatMap((text) => {
    const parsed = parseInterfaceAddress(text);
    return parsed.ok ? [parsed.value] : [];
  });
  return [...daemonFindings(observed), ...wanted.flatMap((one) => tunnelFindings(one, observed, own))];
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

function tunnelFindings(
  { tunnel, config, key, link }: Wanted,
  observed: VpnObserved,
  own: readonly InterfaceAddress[],
): readonly Finding[] {
  const path = `vpn.tunnels.${tunnel}`;
  const { charon, keyFiles } = observed.ipsec;
  const findings: Finding[] = [];
  // What the store sends comes with the change itself; the guard refuses a change that comes without.
  const isOfStore = parseSecretFile(key.file).ok;
  const problem = isOfStore ? null : Object.hasOwn(keyFiles, key.file) ? keyFiles[key.file] : "there is no such file";
  if (problem !== null && problem !== undefined)
    findings.push(
      finding("vpn.key_missing", `${path}.psk`, `The key ${KEY_FOLDER}/${key.file} cannot be used: ${problem}.`),
    );
  const { local, remote, clearText } = config;
  if (local.address !== null && !own.some(({ address }) => formatAddress(address) === local.address))
    findings.push(
      finding("vpn.address_not_here", `${path}.local.address`, `This server has no address ${local.address}.`),
    );
  const [here, there] = [networkSet(local.networks), networkSet(remote.networks)];
  const swallowed = own.filter(({ network }) => overlaps(setOfNetwork(network), there));
  if (swallowed.length > 0)
    findings.push(
      finding(
        "vpn.remote_network_is_local",
        `${path}.remote.networks`,
        `This server itself is in ${swallowed.map(({ address }) => formatAddress(address)).join(", ")}, within the networks of the other end of ${tunnel}.`,
      ),
    );
  const isInOwn = own.some(({ address }) => contains(here, address));
  const needsAddress = clearText === "block" || (charon.state === "up" && charon.dataPlane === "libipsec");
  if (!isInOwn && needsAddress)
    findings.push(
      finding(
        "vpn.no_address_in_networks",
        `${path}.local.networks`,
        `This server has no address in ${local.networks.join(", ")}.`,
      ),
    );
  const around = observed.routes.filter((route) => isSubset(networkSet([route]), there));
  if (clearText === "block" && around.length > 0)
    findings.push(
      finding(
        "vpn.block_bypassed",
        `${path}.remote.networks`,
        `Other routes lead to ${around.join(", ")}, within the networks of the other end of ${tunnel}.`,
      ),
    );
  if (!observed.forwarding)
    findings.push(
      finding(
        "vpn.forwarding_off",
        path,
        `This server does not pass on packets of others, so ${tunnel} serves it alone.`,
      ),
    );
  if (link !== null) findings.push(...linkFindings(link, path, observed));
  else if (charon.state === "up" && charon.dataPlane === "kernel")
    findings.push(
      finding(
        "vpn.masquerade_first",
        path,
        `Packets for the other end of ${tunnel} are translated before they are encrypted, where a rule for the way out catches them; then the tunnel does not take them.`,
      ),
    );
  return findings;
}
