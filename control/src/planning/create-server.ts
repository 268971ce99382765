import { holdsOn } from "@holdfast/core/access/grant.ts";
import type { ChangeId, PlanId, RolloutId, ServerId } from "@holdfast/core/base/id.ts";
import type { Caller } from "../api/caller.ts";
import { refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { insertChange, makeReady } from "../store/changes.ts";
import { getDocument, getRevision } from "../store/documents.ts";
import { newId } from "../store/new-id.ts";
import { insertPlan } from "../store/plans.ts";
import { insertRollout } from "../store/rollouts.ts";
import { getServerByName, insertServer } from "../store/servers.ts";
import type { RevisionRef } from "../store/tables.ts";
import { type Transaction, transaction } from "../store/transaction.ts";
import { sha256 } from "./compose-for.ts";
import { hasError } from "./document-cache.ts";
import type { ServerPlace } from "./places.ts";
import { adoptRevisions, finishRollout } from "./store/adopt.ts";

/**
 * Expects a server: its row, its first Server document, and that document in force. The document comes with a change like any other, so that
 * its labels have an author and a history from the first on. A document that was written before the server came is taken as it is.
 */
export async function createServer(
  house: House,
  caller: Caller,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<ServerPlace> {
  const text = serverText(name, labels);
  const parsed = house.documents.parse(text);
  if (hasError(parsed.findings))
    refuse("change.invalid", "The name or a label cannot be used.", { findings: parsed.findings });
  const made = await transaction(house.database, async (tx) => {
    if ((await getServerByName(tx, name)) !== undefined)
      refuse("server.exists", `There is, or was, a server called ${name}.`);
    const id: ServerId = newId();
    await insertServer(tx, id, name, caller.actor);
    const known = await knownDocument(tx, house, name);
    if (known !== null && Object.keys(labels).length > 0)
      refuse("server.exists", `Server/${name} has been written already; leave the labels to it.`);
    const own = known ?? (await writeDocument(tx, caller, name, text));
    const place = { id, name, labels: known?.labels ?? labels };
    if (!holdsOn(caller.grants, "edit", place))
      refuse("access.out_of_scope", "You do not have the permission edit on a server with these labels.");
    await putInForce(tx, caller, id, own.change, own.ref);
    return place;
  });
  if (!made.ok) throw made.error;
  return made.value;
}

interface OwnDocument {
  readonly ref: RevisionRef;
  readonly change: ChangeId;
}

async function knownDocument(
  tx: Transaction,
  house: House,
  name: string,
): Promise<(OwnDocument & { readonly labels: Readonly<Record<string, string>> }) | null> {
  const document = await getDocument(tx, "Server", name);
  if (document === undefined || document.deleted || document.head_revision === 0) return null;
  const ref = { document_id: document.id, revision: document.head_revision };
  const revision = await getRevision(tx, ref.document_id, ref.revision);
  const parsed =
    revision?.text === undefined || revision.text === null
      ? undefined
      : house.documents.parse(revision.text).documents[0];
  if (revision === undefined || parsed?.kind !== "Server") return null;
  return { ref, change: revision.change_id, labels: parsed.body.labels };
}

async function writeDocument(tx: Transaction, caller: Caller, name: string, text: string): Promise<OwnDocument> {
  const id: ChangeId = newId();
  const change = await insertChange(
    tx,
    { id, title: `Expect ${name}`, reason: "", authorId: caller.userId },
    [{ kind: "Server", name, text }],
    caller.actor,
  );
  await makeReady(tx, id, change.version, (content) => sha256(content ?? ""), caller.actor);
  const document = await getDocument(tx, "Server", name);
  if (document === undefined) throw new Error(`Server/${name} is gone right after it was made`);
  return { change: id, ref: { document_id: document.id, revision: document.head_revision } };
}

/** There is no agent to ask and nothing to do: the revision is in force from here. */
async function putInForce(
  tx: Transaction,
  caller: Caller,
  serverId: ServerId,
  changeId: ChangeId,
  ref: RevisionRef,
): Promise<void> {
  const planId: PlanId = newId();
  const nothing = {
    config: null,
    config_digest: null,
    plan_digest: null,
    base_digest: null,
    base_generation: null,
    touches_management_path: false,
  } as const;
  const lists = { provenance: [], before_revisions: [], steps: [], findings: [], probes: [] } as const;
  await insertPlan(tx, {
    ...nothing,
    ...lists,
    id: planId,
    change_id: changeId,
    server_id: serverId,
    kind: "forward",
    status: "nothing_to_do",
    revisions: [ref],
    native_diff: {},
    created_by: caller.userId,
  });
  const rolloutId: RolloutId = newId();
  const targets = [{ serverId, wave: 0, position: 0, planId, applyId: null }];
  await insertRollout(
    tx,
    { id: rolloutId, changeId, kind: "forward", settings: {}, requestedBy: caller.userId, targets },
    caller.actor,
  );
  await finishRollout(tx, rolloutId);
  await adoptRevisions(tx, serverId, changeId, rolloutId, [ref], caller.actor);
}

/** Values are quoted: a label such as "no" or "0640" means itself. */
function serverText(name: string, labels: Readonly<Record<string, string>>): string {
  const lines = Object.keys(labels)
    .toSorted()
    .map((key) => `  ${key}: ${JSON.stringify(labels[key])}\n`);
  return `apiVersion: holdfast/v1\nkind: Server\nname: ${name}\n${lines.length === 0 ? "labels: {}\n" : `labels:\n${lines.join("")}`}`;
}
