import { createPublicKey } from "node:crypto";
import { join } from "node:path";
import { openOwnKeys } from "@holdfast/control/authority/authority.ts";
import { AGENT_CERTIFICATE_MS } from "@holdfast/control/authority/certificate-authority.ts";
import { sql } from "@holdfast/control/store/sql.ts";
import { changeDetailSchema } from "@holdfast/core/api/change.ts";
import { installAgent } from "@holdfast/testkit/agents/install-agent.ts";
import { ApiRefusal } from "@holdfast/testkit/operator/operator.ts";
import { ASK_API_EVERY_MS, until } from "@holdfast/testkit/until.ts";
import type { Fault } from "./fault.ts";
import { type Ending, MATRIX_TRIAL, type Stage } from "./stage.ts";

/** Who a server is, and until when. */
export const IDENTITY_FAULTS: readonly Fault[] = [
  { test: "fault-31-disk-replaced-or-cloned", suffer: cloned },
  { test: "fault-32-certificate-expires", slice: true, suffer: certificateExpires },
];

let clones = 0;
/** A change of which no server has heard. */
const NOTHING_SENT = {
  phase: null,
  effect: null,
  server_is: "as_before",
  message: null,
  request_id: null,
  fence: null,
} as const;
/** The same key and disk in two running machines: the server is locked before anything is applied, and what was planned stays planned. */
async function cloned(stage: Stage): Promise<Ending> {
  const { house, server } = stage;
  const change = await stage.plan();
  const clone = house.lab.server({
    name: `clone-${++clones}`,
    // A plain server has a boot id of its own, as another machine has; containers show their machine's to sandboxed units.
    kind: "plain",
    attachments: [{ network: house.networks.lan, interface: "eth0", addresses: ["192.0.2.240"] }],
    routes: [{ to: "default", via: "192.0.2.1" }],
  });
  await clone.start();
  const image = await server.machine.must(["sh", "-c", "tar -C / -cz var/lib/holdfast etc/holdfast | base64 -w0"]);
  await clone.must(["sh", "-c", "base64 -d | tar -C / -xz"], { input: image });
  try {
    await installAgent(clone, null, { waitForSession: false });
    await until(
      "the key to be seen in two places",
      async () => (await stage.lock()) === "server.key_in_two_places",
      40_000,
      ASK_API_EVERY_MS,
    );
    const refusal = await stage.apply(change).then(
      () => "none",
      (error: unknown) => (error instanceof ApiRefusal ? error.code : String(error)),
    );
    if (refusal !== "apply.server_locked") throw new Error(`the refusal of an apply: ${refusal}`);
    const { state, counts } = await house.operator.call("getChange", {
      params: { id: change.id },
      answer: changeDetailSchema,
    });
    if (Object.keys(counts).length > 0) throw new Error(`there are applies all the same: ${JSON.stringify(counts)}`);
    return {
      row: { ...NOTHING_SENT, state, code: refusal },
      kernel: (await server.ownTable()) === stage.tableBefore ? "as_before" : "changed",
      ledger: null,
      visitor: await stage.visit(),
    };
  } finally {
    await clone.close();
  }
}

const TLS_FILE = "/var/lib/holdfast/session/tls.pem";
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+$/;
/** Longer than a busy machine needs from here to the claim, shorter than the floor's whole window. */
const CERTIFICATE_LEFT_MS = 22_000;

/** The same key, certified by the house's own authority seven days ago less a minute; a renewed one could not be written to the disk. */
async function certificateExpires(stage: Stage): Promise<Ending> {
  const { house, server } = stage;
  const change = await stage.plan(undefined, { windowSeconds: MATRIX_TRIAL.window });
  const { id } = await house.database.one<{ id: string }>(sql`select id from servers where name = ${server.name}`);
  const kept = (await server.machine.readFile(TLS_FILE)) ?? "";
  const { certificates } = await openOwnKeys(join(house.dataOf(0), "authority"), Date.now());
  const { certificatePem } = await certificates.issueForAgent({
    serverId: id,
    publicKey: createPublicKey(kept).export({ type: "spki", format: "der" }),
    nowMs: Date.now() - AGENT_CERTIFICATE_MS + CERTIFICATE_LEFT_MS,
  });
  const write = (text: string): Promise<string> => server.machine.must(["tee", TLS_FILE], { input: text });
  await stage.restartAgent(async () => {
    await write(kept.replace(CERTIFICATE, certificatePem));
    // Nothing is renamed onto a place where something is mounted.
    await server.machine.must(["mount", "--bind", TLS_FILE, TLS_FILE]);
  });
  try {
    return await stage.end(await stage.apply(change));
  } finally {
    await stage.restartAgent(async () => {
      await server.machine.must(["umount", TLS_FILE]);
      await write(kept);
    });
  }
}
