import { setTimeout as sleep } from "node:timers/promises";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { IpsecAct, IpsecPool } from "@holdfast/core/plan/ipsec-state.ts";
import { gone, loadConn, loadKey, REQUEST_MS, succeeded, terminate, unloadKey } from "./ipsec-requests.ts";
import type { ViciConnection } from "./vici-connection.ts";
import { sectionOf, textOf } from "./vici-message.ts";

/** People who call in, many of them in one act, and the addresses that they are given. */

/** A device is told once that it ends, and not waited for: it is one of many, and may have been asleep for hours. */
const GOODBYE_MS = 0;
/** Milliseconds in which an association that was ended gives its address back. */
const LEASES_MS = 5_000;
const LOOK_EVERY_MS = 100;

type Act<Op extends IpsecAct["op"]> = Extract<IpsecAct, { readonly op: Op }>;

export async function loadPool(vici: ViciConnection, { name, network, dns }: IpsecPool): Promise<Result<null, string>> {
  const pool = { addrs: network, ...(dns.length === 0 ? {} : { dns }) };
  return succeeded(await vici.request("load-pool", { [name]: pool }, REQUEST_MS));
}

/** charon keeps a pool out of which somebody has an address; those of ended associations come back a moment later. */
export async function unloadPool(vici: ViciConnection, name: string): Promise<Result<null, string>> {
  const giveUpAt = performance.now() + LEASES_MS;
  for (;;) {
    const unloaded = await vici.request("unload-pool", { name }, REQUEST_MS);
    if (!unloaded.ok) return unloaded;
    const pools = await vici.request("get-pools", { name }, REQUEST_MS);
    if (!pools.ok) return pools;
    const online = textOf(sectionOf(pools.value, name), "online");
    if (online === "") return ok(null);
    if (performance.now() > giveUpAt) return err(`${online} of its addresses are still in use`);
    await sleep(LOOK_EVERY_MS);
  }
}

export async function loadPeople(
  root: string,
  vici: ViciConnection,
  { keys, conns }: Act<"load_people">,
): Promise<Result<null, string>> {
  for (const key of keys) {
    const loaded = await loadKey(root, vici, key);
    if (!loaded.ok) return loaded;
  }
  for (const conn of conns) {
    const loaded = await loadConn(vici, conn);
    if (!loaded.ok) return err(`${conn.name}: ${loaded.error}`);
  }
  return ok(null);
}

/** First nobody of them can come in any more, then what stands is ended. */
export async function endPeople(vici: ViciConnection, act: Act<"end_people">): Promise<Result<null, string>> {
  for (const name of act.unload) {
    const unloaded = gone(await vici.request("unload-conn", { name }, REQUEST_MS));
    if (!unloaded.ok) return unloaded;
  }
  for (const name of act.terminate) {
    const ended = await terminate(vici, name, GOODBYE_MS);
    if (!ended.ok) return ended;
  }
  for (const id of act.keys) {
    const unloaded = await unloadKey(vici, id);
    if (!unloaded.ok) return unloaded;
  }
  return ok(null);
}
