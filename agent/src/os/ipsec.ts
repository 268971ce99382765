import { existsSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { assertNever } from "@holdfast/core/base/never.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type {
  IpsecAct,
  IpsecDataPlane,
  IpsecListed,
  IpsecPoolSeen,
  IpsecReading,
  IpsecSa,
} from "@holdfast/core/plan/ipsec-state.ts";
import { PRIVATE_PREFIX } from "@holdfast/domains/vpn/conn.ts";
import { readTextIfThere } from "./files.ts";
import { readKeyNames } from "./ipsec-keys.ts";
import { endPeople, loadPeople, loadPool, unloadPool } from "./ipsec-people.ts";
import { gone, loadConn, loadKey, REQUEST_MS, terminate, unloadKey } from "./ipsec-requests.ts";
import { ViciConnection } from "./vici-connection.ts";
import { listIn, sectionOf, sectionsIn, textOf, type ViciAnswer } from "./vici-message.ts";

/** strongSwan's daemon: what it has, and single acts on it. Live only; what it loads when it starts are files. */

const SOCKET = "/run/charon.vici";
/** Milliseconds in which the other end is told that an association ends. */
const GOODBYE_MS = 2_000;
/** Milliseconds between two tries of a key exchange. */
const TRY_EVERY_MS = 1_000;
/** Milliseconds that the daemon may take for one exchange before it answers that it did not come to an end. */
const EXCHANGE_MS = 5_000;

export async function readIpsec(root: string, keyFolder: string): Promise<IpsecReading> {
  return { charon: await readCharon(root), keyFiles: readKeyNames(join(root, keyFolder)) };
}

async function readCharon(root: string): Promise<IpsecReading["charon"]> {
  const look = async (vici: ViciConnection): Promise<Result<IpsecReading["charon"], string>> => {
    const version = await vici.request("version", {}, REQUEST_MS);
    const stats = await vici.request("stats", {}, REQUEST_MS);
    const conns = await vici.listing("list-conns", "list-conn", {}, REQUEST_MS);
    const keys = await vici.request("get-shared", {}, REQUEST_MS);
    const privateKeys = await vici.request("get-keys", {}, REQUEST_MS);
    const sas = await vici.listing("list-sas", "list-sa", {}, REQUEST_MS);
    const pools = await vici.request("get-pools", {}, REQUEST_MS);
    if (!version.ok) return version;
    if (!stats.ok) return stats;
    if (!conns.ok) return conns;
    if (!keys.ok) return keys;
    if (!privateKeys.ok) return privateKeys;
    if (!sas.ok) return sas;
    if (!pools.ok) return pools;
    return ok({
      state: "up",
      version: textOf(version.value, "version"),
      dataPlane: dataPlaneOf(listIn(stats.value, "plugins")),
      passwordLacks: PASSWORD_PLUGINS.filter((plugin) => !listIn(stats.value, "plugins").includes(plugin)),
      conns: conns.value.events
        .flatMap(sectionsIn)
        .map(([name, conn]) => listed(name, conn))
        .toSorted(byName),
      keys: [
        ...listIn(keys.value, "keys"),
        ...listIn(privateKeys.value, "keys").map((id) => `${PRIVATE_PREFIX}${id}`),
      ].toSorted(),
      sas: sas.value.events
        .flatMap(sectionsIn)
        .map(([name, sa]) => association(name, sa))
        .toSorted(byName),
      pools: sectionsIn(pools.value)
        .map(([name, pool]) => poolSeen(name, pool))
        .toSorted(byName),
    });
  };
  const read = await withCharon(root, look, String);
  return read.ok ? read.value : { state: "down", why: read.error };
}

/** What asks a person for their name, and then for their password. */
const PASSWORD_PLUGINS = ["eap-identity", "eap-mschapv2"];

/** The kernel's own ESP may be built in, loaded, or a module that is loaded when it is asked for. */
function dataPlaneOf(plugins: readonly string[]): IpsecDataPlane {
  if (plugins.includes("kernel-libipsec")) return "libipsec";
  const modules = `/lib/modules/${release()}`;
  const isListed = (file: string): boolean => /\/esp4\.ko/.test(readTextIfThere(join(modules, file)) ?? "");
  const isThere = existsSync("/sys/module/esp4") || isListed("modules.builtin") || isListed("modules.dep");
  return isThere && plugins.includes("kernel-netlink") ? "kernel" : "none";
}

function listed(name: string, conn: ViciAnswer): IpsecListed {
  const children = sectionsIn(sectionOf(conn, "children"));
  return {
    name,
    labels: children.map(([label]) => label),
    localAddresses: listIn(conn, "local_addrs"),
    remoteAddresses: listIn(conn, "remote_addrs"),
    localIdentity: textOf(sectionOf(conn, "local-1"), "id"),
    remoteIdentity: textOf(sectionOf(conn, "remote-1"), "id"),
    localNetworks: children.flatMap(([, child]) => listIn(child, "local-ts")),
    remoteNetworks: children.flatMap(([, child]) => listIn(child, "remote-ts")),
    version: textOf(conn, "version"),
  };
}

function association(name: string, sa: ViciAnswer): IpsecSa {
  return {
    name,
    state: textOf(sa, "state"),
    localAddress: textOf(sa, "local-host"),
    remoteAddress: textOf(sa, "remote-host"),
    establishedSeconds: count(sa, "established"),
    rekeySeconds: count(sa, "rekey-time"),
    virtualAddresses: listIn(sa, "remote-vips"),
    children: sectionsIn(sectionOf(sa, "child-sas")).map(([, child]) => ({
      label: textOf(child, "name"),
      state: textOf(child, "state"),
      bytesIn: count(child, "bytes-in"),
      bytesOut: count(child, "bytes-out"),
      rekeySeconds: count(child, "rekey-time"),
    })),
  };
}

function poolSeen(name: string, pool: ViciAnswer): IpsecPoolSeen {
  return {
    name,
    base: textOf(pool, "base"),
    size: count(pool, "size"),
    online: count(pool, "online"),
    offline: count(pool, "offline"),
  };
}

function count(answer: ViciAnswer, name: string): number {
  const text = textOf(answer, name);
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Does one act; every text of it was checked before (ipsec-rules.ts). */
export function actOnIpsec(root: string, act: IpsecAct): Promise<Result<null, string>> {
  return withCharon(root, (vici) => performAct(root, vici, act), String);
}

async function performAct(root: string, vici: ViciConnection, act: IpsecAct): Promise<Result<null, string>> {
  switch (act.op) {
    case "load_conn":
      return loadConn(vici, act.conn);
    case "unload_conn":
      return gone(await vici.request("unload-conn", { name: act.name }, REQUEST_MS));
    case "load_key":
      return loadKey(root, vici, act.key);
    case "unload_key":
      return unloadKey(vici, act.id);
    case "terminate":
      return terminate(vici, act.name, GOODBYE_MS);
    case "load_pool":
      return loadPool(vici, act.pool);
    case "unload_pool":
      return unloadPool(vici, act.name);
    case "load_people":
      return loadPeople(root, vici, act);
    case "end_people":
      return endPeople(vici, act);
    case "initiate":
      return initiate(vici, act);
    case "rekey":
      return rekey(vici, act);
    default:
      return assertNever(act);
  }
}

/** Until it succeeded or patience is over. Only an end that answered and refused makes it a failure. */
async function initiate(
  vici: ViciConnection,
  act: Extract<IpsecAct, { readonly op: "initiate" }>,
): Promise<Result<null, string>> {
  const giveUpAt = performance.now() + act.patienceMs;
  for (;;) {
    const left = giveUpAt - performance.now();
    const timeoutMs = Math.max(200, Math.min(EXCHANGE_MS, left));
    const message = { ike: act.name, child: act.label, timeout: String(Math.round(timeoutMs)), loglevel: "1" };
    const tried = await vici.listing("initiate", "control-log", message, timeoutMs + REQUEST_MS);
    if (!tried.ok) return tried;
    if (textOf(tried.value.answer, "success") === "yes") return ok(null);
    const refusal = refusalIn(tried.value.events);
    if (performance.now() + TRY_EVERY_MS >= giveUpAt) {
      if (refusal === null || act.patienceMs < EXCHANGE_MS) return ok(null);
      return err(`the other end refuses: ${refusal}`);
    }
    await sleep(TRY_EVERY_MS);
  }
}

const REFUSED = /received ([A-Z_]{4,40}) notify/;
const HARMLESS = new Set(["ADDITIONAL_TS_POSSIBLE", "MOBIKE_SUPPORTED", "ESP_TFC_PADDING_NOT_SUPPORTED"]);

/** What the other end said, in its own word. */
export function refusalIn(events: readonly ViciAnswer[]): string | null {
  for (const event of events.toReversed()) {
    const word = REFUSED.exec(textOf(event, "msg"))?.[1];
    if (word !== undefined && !HARMLESS.has(word)) return word;
  }
  return null;
}

/** Milliseconds in which a child with new keys must be there; an exchange takes one round trip and some arithmetic. */
const REKEY_MS = 8_000;
const LOOK_EVERY_MS = 200;

async function rekey(
  vici: ViciConnection,
  act: Extract<IpsecAct, { readonly op: "rekey" }>,
): Promise<Result<null, string>> {
  const before = await installed(vici, act.name, act.label);
  if (!before.ok) return before;
  if (before.value.length === 0) return ok(null);
  const asked = await vici.request("rekey", { ike: act.name, child: act.label }, REQUEST_MS);
  if (!asked.ok) return asked;
  const giveUpAt = performance.now() + REKEY_MS;
  for (;;) {
    const now = await installed(vici, act.name, act.label);
    if (!now.ok) return now;
    if (now.value.some((id) => !before.value.includes(id))) return ok(null);
    if (performance.now() > giveUpAt)
      return err(
        "the tunnel is agreed, but its keys cannot be replaced: in an hour it would be dead. The usual cause is that the ends differ in the group of their ESP proposals",
      );
    await sleep(LOOK_EVERY_MS);
  }
}

/** Ids of the children of this name that carry traffic. */
async function installed(
  vici: ViciConnection,
  name: string,
  label: string,
): Promise<Result<readonly string[], string>> {
  const sas = await vici.listing("list-sas", "list-sa", { ike: name }, REQUEST_MS);
  if (!sas.ok) return sas;
  const children = sas.value.events.flatMap(sectionsIn).flatMap(([, sa]) => sectionsIn(sectionOf(sa, "child-sas")));
  return ok(
    children.flatMap(([, child]) =>
      textOf(child, "name") === label && textOf(child, "state") === "INSTALLED" ? [textOf(child, "uniqueid")] : [],
    ),
  );
}

/** One connection for what `act` does. `down` says what is to be answered when nobody is there. */
export async function withCharon<Value, Failure>(
  root: string,
  act: (vici: ViciConnection) => Promise<Result<Value, Failure>>,
  down: (why: string) => Failure,
): Promise<Result<Value, Failure>> {
  const opened = await ViciConnection.open(join(root, SOCKET));
  if (!opened.ok) return err(down(opened.error));
  try {
    return await act(opened.value);
  } finally {
    opened.value.close();
  }
}
