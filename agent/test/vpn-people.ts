import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { putKey, useOwnDataPlane } from "@holdfast/testkit/servers/strongswan.ts";
import { vpnPart } from "./vpn-part.ts";

/** A server that people call, and devices of people: strongSwan as somebody sets it up by the sheet, with nothing of ours on them. */

export const HUB = "192.0.2.10";
export const OFFICE = "10.71.0.1";
export const DEVICES = ["192.0.2.31", "192.0.2.32"] as const;
/** Two addresses. */
export const POOL = "10.99.0.0/30";
export const PERSONS = ["alice", "bob", "carol"] as const;
export type PersonName = (typeof PERSONS)[number];

const keyOf = (person: string): string => Buffer.from(`${person} has a key of their own, this`).toString("base64");

export interface Road {
  readonly hub: LabServer;
  /** Alice has the first; bob and carol share the second. */
  readonly devices: readonly [LabServer, LabServer];
}

/** The server and the devices, with strongSwan and nothing else on them yet. */
export async function layRoad(lab: Lab): Promise<Road> {
  const wan = await lab.network({ name: "wan", subnet4: "192.0.2.0/24" });
  const inside = await lab.network({ name: "in-a", subnet4: "10.71.0.0/24" });
  const of = async (name: string, addresses: readonly (readonly [typeof wan, string])[]): Promise<LabServer> => {
    const server = lab.server({
      name,
      kind: "systemd",
      enable: ["strongswan"],
      addressing: "networkd",
      attachments: addresses.map(([network, address], index) => ({
        network,
        interface: `eth${index}`,
        addresses: [address],
      })),
    });
    await server.start();
    await useOwnDataPlane(server, true);
    return server;
  };
  const [hub, one, two] = await Promise.all([
    of("gw-a", [
      [wan, HUB],
      [inside, OFFICE],
    ]),
    of("device-1", [[wan, DEVICES[0]]]),
    of("device-2", [[wan, DEVICES[1]]]),
  ]);
  return { hub, devices: [one, two] };
}

export async function road(lab: Lab): Promise<Road> {
  const laid = await layRoad(lab);
  for (const person of PERSONS) await putKey(laid.hub, `key-${person}`, keyOf(person));
  await setUp(laid.devices[0], { alice: "alice", imposter: "bob" });
  await setUp(laid.devices[1], { bob: "bob", carol: "carol" });
  return laid;
}

/** What `holdfast tunnel sheet` says, in swanctl's words: what it is called there, and as whom it calls. An imposter has Alice's key. */
async function setUp(device: LabServer, persons: Readonly<Record<string, PersonName>>): Promise<void> {
  const conns = Object.entries(persons).map(([name, person]) =>
    connText(name, { local: `auth = psk\n id = "${person}@example.com"`, remote: `auth = psk\n id = "@gw-a"` }),
  );
  const keys = Object.entries(persons).map(
    ([name, person]) =>
      `ike-${name} { id-1 = "${person}@example.com"\n secret = "${keyOf(name === "imposter" ? "alice" : person)}" }`,
  );
  await loadConns(device, conns, `secrets {\n${keys.join("\n")}\n}\n`);
}

/** A connection of a device to the server: how each of the two proves itself, in swanctl's words. */
export function connText(name: string, { local, remote }: { readonly local: string; readonly remote: string }): string {
  return `${name} {
  version = 2
  remote_addrs = ${HUB}
  vips = 0.0.0.0
  proposals = aes256gcm16-prfsha384-ecp384
  keyingtries = 1
  local { ${local} }
  remote { ${remote} }
  children { ${name} {
    remote_ts = 10.71.0.0/24
    esp_proposals = aes256gcm16-ecp384 } }
}`;
}

export async function loadConns(device: LabServer, conns: readonly string[], more = ""): Promise<void> {
  await device.writeFile("/etc/swanctl/conf.d/hub.conf", `connections {\n${conns.join("\n")}\n}\n${more}`, 0o600);
  await device.must(["swanctl", "--load-all"]);
}

export interface Called {
  /** Null: turned away. */
  readonly address: string | null;
  readonly log: string;
}

/** A person presses "connect". */
export function call(device: LabServer, person: PersonName | "imposter"): Promise<Called> {
  return initiate(device, person);
}

/** @param child how the connection is called on the device */
export async function initiate(device: LabServer, child: string): Promise<Called> {
  const { stdout, stderr } = await device.exec(["swanctl", "--initiate", "--child", child, "--timeout", "8"]);
  const log = `${stdout}\n${stderr}`;
  const given = /installing new virtual IP (\S+)/.exec(log)?.[1];
  return { address: /CHILD_SA .* established/.test(log) ? (given ?? "") : null, log };
}

export async function hangUp(device: LabServer, person: PersonName): Promise<void> {
  await device.exec(["swanctl", "--terminate", "--ike", person, "--timeout", "5"]);
}

/** The vpn part of the server's config, of one document and the composition that the control plane uses. */
export function peopleConfig(revoked: readonly PersonName[] = []): Json {
  const people = PERSONS.map((person) =>
    personLine(person, `identity: ${person}@example.com, psk: "file:key-${person}"`, revoked),
  );
  return vpnPart(staffText({ networks: `${POOL}\n    dns: ${OFFICE}`, auth: "psk: each", people }), "gw-a");
}

export function personLine(person: string, what: string, revoked: readonly string[]): string {
  return `      ${person}: { ${what}${revoked.includes(person) ? ", revoked: gone" : ""} }`;
}

export interface StaffText {
  /** What else is said of the server's end. */
  readonly hub?: string;
  readonly networks: string;
  readonly auth: string;
  readonly people: readonly string[];
}

export function staffText({ hub = "", networks, auth, people }: StaffText): string {
  return `apiVersion: holdfast/v1
kind: Tunnel
name: staff
ends:
  hub: { server: gw-a, address: ${HUB}, ${hub}networks: 10.71.0.0/24 }
  staff:
    address: dynamic
    networks: ${networks}
    people:
${people.join("\n")}
via: policy
clearText: block
auth: { ${auth} }
suite: strong-2026
lifetime: { ike: 12h, child: 1h }
dead: { after: 10s, then: clear }
traffic: { default: drop, rules: [] }
---
apiVersion: holdfast/v1
kind: Server
name: gw-a
`;
}
