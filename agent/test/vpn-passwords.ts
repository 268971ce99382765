import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { putKey } from "@holdfast/testkit/servers/strongswan.ts";
import type { MadeEnd } from "@holdfast/testkit/servers/tunnel-certificates.ts";
import { HOUSE, type HouseRoad, houseText, layHouse } from "./vpn-house.ts";
import { vpnPart } from "./vpn-part.ts";
import { type Called, connText, DEVICES, initiate, loadConns, personLine } from "./vpn-people.ts";

/** A server that people call with a name and a password, and devices that call as Windows does: what they say of themselves is their address. */

/** Who types what. Carol's has everything that a shell or a file of settings could read otherwise. */
export const PASSWORDS = {
  alice: "alice-has-this-password",
  "alice-2": "alice-has-another-password",
  bob: "bob-has-this-password",
  carol: `x"};'\\$(reboot)\`id\`#{}0s%s&<carol>`,
} as const;
export const NAMES = { alice: "alice@example.com", bob: "bob", carol: "carol_o.k-1@example.com" } as const;
type Person = keyof typeof NAMES;

export async function passwordRoad(lab: Lab): Promise<HouseRoad> {
  const laid = await layHouse(lab);
  for (const [name, password] of Object.entries(PASSWORDS)) await putKey(laid.hub, `pw-${name}`, password);
  for (const [index, device] of laid.devices.entries()) await setUp(device, DEVICES[index] ?? "");
  return laid;
}

/** What somebody types: the name and the password, and what their connection is called on the device. */
export interface Typed {
  readonly name: string;
  readonly password: string;
}

const TYPED = {
  alice: { name: NAMES.alice, password: PASSWORDS.alice },
  "alice-2": { name: NAMES.alice, password: PASSWORDS["alice-2"] },
  bob: { name: NAMES.bob, password: PASSWORDS.bob },
  carol: { name: NAMES.carol, password: PASSWORDS.carol },
  /** Bob's password under Alice's name. */
  mixed: { name: NAMES.alice, password: PASSWORDS.bob },
  nobody: { name: "nobody@example.com", password: PASSWORDS.bob },
  wild: { name: "%any", password: PASSWORDS.bob },
} as const satisfies Record<string, Typed>;
export type Caller = keyof typeof TYPED;

function setUp(device: LabServer, own: string): Promise<void> {
  const conns = Object.entries(TYPED).map(([name, typed]) =>
    connText(name, { local: `auth = eap-mschapv2\n id = ${own}\n eap_id = "${typed.name}"`, remote: HOUSE }),
  );
  return loadConns(device, conns);
}

/**
 * A device that tells another name first than the one that goes with the password: neither charon nor RFC 2759 holds the two against each other. Its own charon is
 * the stock one, with the one word exchanged on the way.
 */
export async function makeLiar(device: LabServer, name: string): Promise<void> {
  const source = `#include <dlfcn.h>
void *identification_create_from_string(char *text);
void *eap_identity_create_peer(void *server, void *peer) {
  void *plugin = dlopen("/usr/lib/ipsec/plugins/libstrongswan-eap-identity.so", RTLD_NOW | RTLD_NOLOAD);
  void *(*make)(void *, void *) = dlsym(plugin, "eap_identity_create_peer");
  return make(server, identification_create_from_string("${name}"));
}
`;
  await device.writeFile("/root/liar.c", source);
  await device.must(["gcc", "-shared", "-fPIC", "-o", "/usr/local/lib/liar.so", "/root/liar.c"]);
  await device.must(["mkdir", "-p", "/etc/systemd/system/strongswan.service.d"]);
  const unit = "/etc/systemd/system/strongswan.service.d/liar.conf";
  await device.writeFile(unit, "[Service]\nEnvironment=LD_PRELOAD=/usr/local/lib/liar.so\n");
  await device.must(["systemctl", "daemon-reload"]);
  await device.must(["systemctl", "restart", "strongswan.service"]);
  await device.must(["swanctl", "--load-all"]);
}

/** Types a name and a password, and presses "connect": whatever the device had of others' passwords is forgotten first. */
export async function call(device: LabServer, caller: Caller): Promise<Called> {
  const { name, password } = TYPED[caller];
  const secret = `0s${Buffer.from(password, "utf8").toString("base64")}`;
  const text = `secrets { eap-own { id = "${name}"\n secret = "${secret}" } }\n`;
  await device.writeFile("/etc/swanctl/conf.d/typed.conf", text, 0o600);
  await device.must(["swanctl", "--load-creds", "--clear", "--noprompt"]);
  return initiate(device, caller);
}

export async function hangUp(device: LabServer): Promise<void> {
  for (const name of Object.keys(TYPED)) await device.exec(["swanctl", "--terminate", "--ike", name, "--timeout", "3"]);
}

export interface PeopleWish {
  /** Who may come in, each by the file of their password. */
  readonly people?: Partial<Record<Person, keyof typeof PASSWORDS>>;
  readonly revoked?: readonly Person[];
}

/** The vpn part of the server's config, of one document and the composition that the control plane uses. */
export function passwordConfig(end: MadeEnd, { people, revoked = [] }: PeopleWish = {}): Json {
  const lines = Object.entries(people ?? { alice: "alice", bob: "bob", carol: "carol" }).map(([person, file]) =>
    personLine(person, `identity: "${NAMES[person as Person]}", password: "file:pw-${file}"`, revoked),
  );
  return vpnPart(houseText(lines), "gw-a", [end.secret]);
}
