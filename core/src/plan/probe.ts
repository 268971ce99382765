/**
 * A check that must pass during the trial if it passed before (baseline).
 *   inbound   the control plane (or a peer) opens a new connection to the server from outside
 *   outbound  the server itself opens a new connection
 * `expected: "closed"` is met by a refusal or silence.
 */
export interface Probe {
  readonly id: string;
  readonly direction: "inbound" | "outbound";
  readonly protocol: "tcp" | "udp" | "icmp";
  /** Inbound: the server's address to dial, or "self" for its management address. Outbound: the address to dial. */
  readonly address: string;
  /** Absent for icmp. */
  readonly port?: number;
  readonly expected: "open" | "closed";
  /** The change is not confirmed before it passed, whatever it said before the change: a new tunnel that carries nothing is no success. */
  readonly mustHold?: boolean;
  /**
   * For icmp: packets as large as the way's first interface takes, not to be split on the way, beside small ones. Where small ones come back and
   * large ones vanish, a connection opens and nothing comes over it. Where no echo comes back at all, nothing is said of sizes, and it is open.
   */
  readonly fullSize?: true;
  /** Where it comes from, for people: `floor`, or `Policy/web-host expect[2]`. */
  readonly origin: string;
}

export type ProbeResult = "open" | "closed" | "unreachable_vantage";

/** To wherever the server must get through, of either family, with packets of full size: a baseline decides whether they count. */
export function fullSizeProbes(
  probes: readonly Probe[],
  controlPlane: readonly { readonly address: string }[],
): readonly Probe[] {
  const expected = probes.filter(
    ({ direction, protocol, expected: wanted }) => direction === "outbound" && protocol !== "icmp" && wanted === "open",
  );
  const addresses = new Set([...controlPlane, ...expected].map(({ address }) => address));
  return [...addresses].toSorted().map((address) => ({
    id: `full size to ${address}`,
    direction: "outbound",
    protocol: "icmp",
    address,
    expected: "open",
    fullSize: true,
    origin: "floor",
  }));
}
