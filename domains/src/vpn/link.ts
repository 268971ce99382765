import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { fingerprint } from "./fingerprint.ts";

/**
 * The interface of a tunnel that has one of its own: an XFRM interface, which carries what is routed into it to the security associations with its number,
 * and nothing to anywhere else. With none of them a packet in it is dropped, never sent in clear text.
 */
export type TunnelLink = {
  readonly name: string;
  /** The number that ties it to the associations; the same one is given to strongSwan. */
  readonly id: number;
};

/** Ours begin so. Fifteen characters are the most that the kernel takes, so the name of the tunnel is not in it. */
export const LINK_PREFIX = "hfx-";
/** Routes into tunnels come before all others to the same network, and long before the dead ends. Not zero, which IPv6 reads as its usual one. */
export const INTO_METRIC = 1;

/** Made of the tunnel's name alone, so that it is the same after every change. */
export function linkOf(tunnel: string): TunnelLink {
  const number = Number(BigInt(`0x${fingerprint(tunnel)}`) & 0x7fff_ffffn);
  return linkWith(number === 0 ? 1 : number);
}

export function linkWith(id: number): TunnelLink {
  return { name: `${LINK_PREFIX}${id.toString(16).padStart(8, "0")}`, id };
}

/** A name with its number in it is ours, and only with this number. */
export function parseLink({ name, id }: TunnelLink): Result<TunnelLink, string> {
  const isNumber = Number.isInteger(id) && id > 0 && id <= 0x7fff_ffff;
  return isNumber && linkWith(id).name === name
    ? ok({ name, id })
    : err(`${JSON.stringify(name)} is no interface of ours`);
}

export function isOurLink(name: string): boolean {
  return new RegExp(`^${LINK_PREFIX}[0-9a-f]{8}$`).test(name);
}
