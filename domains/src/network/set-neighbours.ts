import type { Mismatch } from "@holdfast/core/domain.ts";
import type { IpNeighbour, IpState } from "@holdfast/core/plan/ip-state.ts";
import type { NetworkObserved } from "./observed.ts";

/**
 * Neighbours that somebody set for ever, on these links. networkd (252) takes a link's addresses away before it sets it up again, and with the
 * last of them the kernel forgets every neighbour, those too: so whoever lets networkd do it names them.
 */
export function setNeighbours(observed: NetworkObserved, links: ReadonlySet<string>): Pick<IpState, "neighbours"> {
  const neighbours = observed.neighbours.flatMap(({ link, address, mac, state }): readonly IpNeighbour[] =>
    state === "permanent" && mac !== null && /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(mac) && links.has(link)
      ? [{ link, address, mac }]
      : [],
  );
  return neighbours.length === 0 ? {} : { neighbours };
}

/** Those of the snapshot that are not there any more. */
export function lostNeighbours(
  snapshot: NetworkObserved,
  after: NetworkObserved,
  links: ReadonlySet<string>,
): readonly Mismatch[] {
  const key = ({ link, address, mac }: IpNeighbour): string => `${link} ${address} ${mac}`;
  const there = new Set((setNeighbours(after, links).neighbours ?? []).map(key));
  return (setNeighbours(snapshot, links).neighbours ?? [])
    .filter((one) => !there.has(key(one)))
    .map(({ link, address, mac }) => ({
      path: `neighbours.${address}`,
      expected: `${mac} on ${link}, set for ever`,
      found: "none like that",
    }));
}
