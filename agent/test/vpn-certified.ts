import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { certificatePem } from "@holdfast/domains/vpn/conn.ts";
import type { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { authoritySecret, certifiedPerson } from "@holdfast/testkit/servers/tunnel-certificates.ts";
import { HOUSE, type HouseRoad, houseText, layHouse, type TunnelAuthority } from "./vpn-house.ts";
import { vpnPart } from "./vpn-part.ts";
import { type Called, connText, initiate, loadConns, personLine, type Road } from "./vpn-people.ts";

/** A server that people call with certificates, whose keys their devices have made themselves: with openssl, as the sheet says. */

const DAY_MS = 24 * 3_600_000;

interface Holder {
  /** Place of their device. */
  readonly at: 0 | 1;
  readonly identity: string;
  readonly key: string;
  /** Days since it was issued; a certificate is good for a year. */
  readonly daysAgo: number;
}

const EC = "-newkey ec -pkeyopt ec_paramgen_curve:P-384";
const HOLDERS = {
  alice: { at: 0, identity: "alice@example.com", key: EC, daysAgo: 0 },
  /** Alice's next one, of another key. */
  "alice-2": { at: 0, identity: "alice@example.com", key: EC, daysAgo: 0 },
  bob: { at: 1, identity: "bob@example.com", key: "-newkey rsa:2048", daysAgo: 0 },
  /** One that the house has issued for Alice's name to somebody whom no document names. */
  mallory: { at: 1, identity: "alice@example.com", key: EC, daysAgo: 0 },
  carol: { at: 1, identity: "carol@example.com", key: EC, daysAgo: 0 },
  dave: { at: 1, identity: "dave@example.com", key: EC, daysAgo: 400 },
} as const satisfies Record<string, Holder>;
export type HolderName = keyof typeof HOLDERS;

/** Who calls: with whose certificate and key, and as whom. */
const CALLERS = {
  alice: { holder: "alice", id: "alice@example.com" },
  "alice-2": { holder: "alice-2", id: "alice@example.com" },
  /** As Windows calls: by everything that stands in the certificate. */
  "alice-dn": { holder: "alice", id: "CN=alice@example.com, OU=tunnel staff" },
  bob: { holder: "bob", id: "bob@example.com" },
  /** With a certificate of his own, under another's name. */
  "bob-as-alice": { holder: "bob", id: "alice@example.com" },
  mallory: { holder: "mallory", id: "alice@example.com" },
  carol: { holder: "carol", id: "carol@example.com" },
  dave: { holder: "dave", id: "dave@example.com" },
} as const satisfies Record<string, { readonly holder: HolderName; readonly id: string }>;
export type CallerName = keyof typeof CALLERS;

export interface CertifiedRoad extends HouseRoad {
  readonly certificates: Readonly<Record<HolderName, string>>;
}

export async function certifiedRoad(lab: Lab): Promise<CertifiedRoad> {
  const laid = await layHouse(lab);
  const { authority, devices } = laid;
  const issued = await Promise.all(
    Object.entries(HOLDERS).map(async ([name, holder]) => [name, await certified(authority, devices, name, holder)]),
  );
  const certificates = Object.fromEntries(issued) as Record<HolderName, string>;
  for (const [place, device] of devices.entries()) await setUp(device, place);
  return { ...laid, certificates };
}

/** The key is made on the device and stays there; what comes back to it is the certificate. */
async function certified(
  authority: TunnelAuthority,
  devices: Road["devices"],
  name: string,
  { at, identity, key, daysAgo }: Holder,
): Promise<string> {
  const device = devices[at];
  const file = `/etc/swanctl/private/${name}.pem`;
  const command = `openssl req -new ${key} -nodes -keyout ${file} -subj /CN=whatever 2>/dev/null`;
  const request = await device.must(["sh", "-c", command]);
  const body = await certifiedPerson(authority, request, { tunnel: "staff", identity }, Date.now() - daysAgo * DAY_MS);
  await device.writeFile(`/etc/swanctl/x509/${name}.pem`, certificatePem(body));
  return body;
}

function setUp(device: LabServer, place: number): Promise<void> {
  const conns = Object.entries(CALLERS)
    .filter(([, { holder }]) => HOLDERS[holder].at === place)
    .map(([name, { holder, id }]) =>
      connText(name, { local: `auth = pubkey\n certs = ${holder}.pem\n id = "${id}"`, remote: HOUSE }),
    );
  return loadConns(device, conns);
}

/** A person presses "connect". */
export function call(device: LabServer, caller: CallerName): Promise<Called> {
  return initiate(device, caller);
}

export async function hangUp(device: LabServer): Promise<void> {
  for (const name of Object.keys(CALLERS))
    await device.exec(["swanctl", "--terminate", "--ike", name, "--timeout", "3"]);
}

export interface CertifiedWish {
  /** Who may come in, each by whose certificate. */
  readonly people?: Readonly<Record<string, HolderName>>;
  readonly revoked?: readonly string[];
}

/** The vpn part of the server's config, of one document and the composition that the control plane uses. */
export function certifiedConfig(at: CertifiedRoad, { people, revoked = [] }: CertifiedWish = {}): Json {
  const named: Readonly<Record<string, HolderName>> = people ?? { alice: "alice", bob: "bob", dave: "dave" };
  const lines = Object.entries(named).map(([person, holder]) => {
    const pem = JSON.stringify(certificatePem(at.certificates[holder]));
    return personLine(person, `identity: "${HOLDERS[holder].identity}", certificate: ${pem}`, revoked);
  });
  return vpnPart(houseText(lines), "gw-a", [at.end.secret, authoritySecret(at.authority)]);
}
