import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { IpsecConn, IpsecKey } from "@holdfast/core/plan/ipsec-state.ts";
import { idText, PASSWORD_PREFIX, privateKeyId } from "@holdfast/domains/vpn/conn.ts";
import { authOf, deadAction, eapText, isShownFirst, NOBODY, SENT_ALWAYS } from "@holdfast/domains/vpn/render.ts";
import { provenBy, readKey, readPrivateKey } from "./ipsec-keys.ts";
import type { ViciConnection } from "./vici-connection.ts";
import { textOf, type ViciAnswer, type ViciSection } from "./vici-message.ts";

/** Single requests to strongSwan's daemon, out of which acts are made. */

/** Milliseconds for one request; the daemon answers in one to a hundred, and a busy one may take longer. */
export const REQUEST_MS = 4_000;

export async function loadKey(root: string, vici: ViciConnection, key: IpsecKey): Promise<Result<null, string>> {
  const id = privateKeyId(key.id);
  if (id !== null) return loadPrivateKey(root, vici, key.file, id);
  const read = readKey(root, key.file);
  if (!read.ok) return err(`the key ${key.file} cannot be used: ${read.error}`);
  const type = key.id.startsWith(PASSWORD_PREFIX) ? "EAP" : "IKE";
  const message = { id: key.id, type, data: read.value, owners: provenBy(key) };
  return succeeded(await vici.request("load-shared", message, REQUEST_MS));
}

/** strongSwan says by which number it knows the key; another one would be the key of another certificate. */
async function loadPrivateKey(
  root: string,
  vici: ViciConnection,
  file: string,
  id: string,
): Promise<Result<null, string>> {
  const read = readPrivateKey(root, file, id);
  if (!read.ok) return err(`the key ${file} cannot be used: ${read.error}`);
  return succeeded(await vici.request("load-key", { type: "any", data: read.value }, REQUEST_MS));
}

/** A key that is not there is success. */
export async function unloadKey(vici: ViciConnection, id: string): Promise<Result<null, string>> {
  const number = privateKeyId(id);
  return gone(
    number === null
      ? await vici.request("unload-shared", { id }, REQUEST_MS)
      : await vici.request("unload-key", { id: number }, REQUEST_MS),
  );
}

/** `force`: the other end may not be there to agree; some time is left for it to hear. */
export async function terminate(vici: ViciConnection, name: string, goodbyeMs: number): Promise<Result<null, string>> {
  return gone(await vici.request("terminate", { ike: name, force: "yes", timeout: String(goodbyeMs) }, REQUEST_MS));
}

export async function loadConn(vici: ViciConnection, conn: IpsecConn): Promise<Result<null, string>> {
  return succeeded(await vici.request("load-conn", { [conn.name]: messageOf(conn) }, REQUEST_MS));
}

function messageOf(conn: IpsecConn): ViciSection {
  const { password } = conn;
  const auth = authOf(conn);
  return {
    version: "2",
    ...(conn.localAddress === null ? {} : { local_addrs: [conn.localAddress] }),
    remote_addrs: [conn.remoteAddress ?? "%any"],
    proposals: conn.ikeProposals,
    rekey_time: `${conn.ikeSeconds}s`,
    dpd_delay: `${conn.deadSeconds}s`,
    keyingtries: "0",
    unique: "replace",
    ...(conn.pools === undefined ? {} : { pools: conn.pools }),
    ...(isShownFirst(conn) ? { send_cert: SENT_ALWAYS } : {}),
    local: {
      auth: auth.local,
      id: idText(conn.localIdentity),
      ...certificateList("certs", conn.certificates?.own),
    },
    remote: {
      auth: auth.remote,
      id: idText(conn.remoteIdentity),
      ...(password === undefined ? {} : { eap_id: eapText(password.name) }),
      ...(password?.name === null ? { groups: [NOBODY] } : {}),
      ...certificateList("certs", conn.certificates?.peer),
      ...certificateList("cacerts", conn.certificates?.authority),
    },
    children: {
      [conn.label]: {
        local_ts: conn.localNetworks,
        // Left out for a person: then it is the address that is given.
        ...(conn.pools === undefined ? { remote_ts: conn.remoteNetworks } : {}),
        esp_proposals: conn.childProposals,
        rekey_time: `${conn.childSeconds}s`,
        dpd_action: deadAction(conn),
        close_action: deadAction(conn) === "restart" ? "start" : "none",
        // It begins when it is told to: with a start action, loading again would begin a second time.
        start_action: "none",
        ...(conn.linkId === undefined ? {} : { if_id_in: String(conn.linkId), if_id_out: String(conn.linkId) }),
      },
    },
  };
}

function certificateList(key: "certs" | "cacerts", certificate: string | null | undefined): ViciSection {
  return certificate === null || certificate === undefined ? {} : { [key]: [Buffer.from(certificate, "base64")] };
}

export function succeeded(answer: Result<ViciAnswer, string>): Result<null, string> {
  if (!answer.ok) return answer;
  if (textOf(answer.value, "success") === "yes") return ok(null);
  return err(textOf(answer.value, "errmsg") || "strongSwan refused and did not say why");
}

/** Gone already is success; the reading back decides. */
export function gone(answer: Result<ViciAnswer, string>): Result<null, string> {
  return answer.ok ? ok(null) : answer;
}
