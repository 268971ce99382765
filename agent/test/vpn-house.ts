import { certificatePem } from "@holdfast/domains/vpn/conn.ts";
import type { Lab } from "@holdfast/testkit/servers/lab.ts";
import {
  type MadeEnd,
  madeEnd,
  putPrivateKey,
  tunnelAuthority,
} from "@holdfast/testkit/servers/tunnel-certificates.ts";
import { HUB, layRoad, type Road, type StaffText, staffText } from "./vpn-people.ts";

/** A server that shows the people who call it a certificate of the house, and devices that believe the house. */

export type TunnelAuthority = Awaited<ReturnType<typeof tunnelAuthority>>;

export interface HouseRoad extends Road {
  readonly authority: TunnelAuthority;
  readonly end: MadeEnd;
}

const CALLED = "vpn.example.com";

export async function layHouse(lab: Lab): Promise<HouseRoad> {
  const laid = await layRoad(lab);
  const authority = await tunnelAuthority();
  const about = { tunnel: "staff", end: "hub", server: "gw-a", version: 1, called: [CALLED, HUB, "gw-a"] };
  const end = await madeEnd(authority, about);
  await putPrivateKey(laid.hub, end);
  for (const device of laid.devices)
    await device.writeFile("/etc/swanctl/x509ca/house.pem", certificatePem(authority.certificate));
  return { ...laid, authority, end };
}

/** How a device holds the server to it, in swanctl's words. */
export const HOUSE = `auth = pubkey\n cacerts = house.pem\n id = "@${CALLED}"`;

export function houseText(people: StaffText["people"]): string {
  const auth = "certificate: generated";
  return staffText({ hub: `hostname: ${CALLED}, `, networks: "10.99.0.0/24", auth, people });
}
