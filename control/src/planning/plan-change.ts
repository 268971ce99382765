import type { Finding } from "@holdfast/core/base/finding.ts";
import type { ChangeId } from "@holdfast/core/base/id.ts";
import type { TrialSettings } from "@holdfast/core/compose/effective-config.ts";
import type { Caller } from "../api/caller.ts";
import { notFound, refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { runsControlPlane } from "../probe/own-address.ts";
import { getChange } from "../store/changes.ts";
import { insertPlan, type NewPlan } from "../store/plans.ts";
import { listQuarantines } from "../store/quarantines.ts";
import { getServer } from "../store/servers.ts";
import type { ChangeRow, RevisionRef, ServerRow } from "../store/tables.ts";
import { EVENTS_CHANNEL, transaction } from "../store/transaction.ts";
import { atMost } from "./at-most.ts";
import { certificateFindings } from "./certificate-findings.ts";
import { type Composition, composer } from "./compose-for.ts";
import { dependantFindings } from "./dependant-findings.ts";
import { assertMayEdit } from "./edit-scope.ts";
import { editsOf } from "./edits.ts";
import { historyFindings } from "./history-findings.ts";
import { keyFindings } from "./key-findings.ts";
import { lackFindings } from "./lack-findings.ts";
import { makeKeys } from "./make-keys.ts";
import { planRow } from "./plan-row.ts";
import { planningFinding } from "./planning-findings.ts";
import type { Edit } from "./selection.ts";
import { loadWorld, type World } from "./world.ts";

/** Agents asked at once: each rehearses on its own machine, and a person waits for the last. */
const ASKED_AT_ONCE = 16;

export type TrialWish = {
  readonly soakSeconds?: number | undefined;
  readonly windowSeconds?: number | undefined;
  readonly confirm?: "machine" | "person" | undefined;
};

/** Asks every server concerned what the change would do, and keeps the answers. Nothing is changed, no revision is made. */
export async function planChange(
  house: House,
  caller: Caller,
  id: ChangeId,
  wish: TrialWish,
): Promise<readonly NewPlan[]> {
  const { change, edits, world, withoutKey } = await readChange(house, caller, id);
  const concerned = assertMayEdit(house, caller, world, edits);
  if (withoutKey.length > 0)
    refuse(
      "access.out_of_scope",
      `The key of the tunnel ${withoutKey.join(", ")} is made by somebody with the permission edit for vpn on both ends.`,
    );
  const trial = trialSettings(wish);
  const again = composer(house, world, edits);
  const earlier = composer(house, world, []);
  const plans = await atMost(ASKED_AT_ONCE, concerned, (composition) =>
    planOne(
      house,
      caller,
      change,
      world,
      edits,
      trial === null ? composition : again(composition.server, trial),
      dependantFindings(world, edits, earlier, again, composition),
    ),
  );
  const kept = plans.filter((plan) => plan !== null);
  await keepPlans(house, change, kept);
  return kept;
}

async function readChange(
  house: House,
  caller: Caller,
  id: ChangeId,
): Promise<{
  readonly change: ChangeRow;
  readonly edits: readonly Edit[];
  readonly world: World;
  /** Tunnels whose key is not there and which the caller may not make one for. */
  readonly withoutKey: readonly string[];
}> {
  const read = await transaction(house.database, async (tx) => {
    const change = (await getChange(tx, id)) ?? notFound("change with this id");
    if (change.state === "CANCELLED") refuse("change.not_now", "The change has been withdrawn.");
    const edits = await editsOf(tx, house.documents, change);
    const world = await loadWorld(tx, house.documents);
    // Made when the change was written, unless its author may not.
    const { made, left } = await makeKeys(
      house,
      tx,
      caller,
      world,
      edits.map(({ document }) => document),
    );
    return { change, edits, world: made === 0 ? world : await loadWorld(tx, house.documents), withoutKey: left };
  });
  if (!read.ok) throw read.error;
  return read.value;
}

/** One server's plan; null for a server without an agent, which has nothing to ask and nothing in force but its own document. */
async function planOne(
  house: House,
  caller: Caller,
  change: ChangeRow,
  world: World,
  edits: readonly Edit[],
  composition: Composition,
  dependants: readonly Finding[],
): Promise<NewPlan | null> {
  const row = await getServer(house.database, composition.server.id);
  if (row === undefined) return null;
  const beforeRefs = assignedRefs(world, composition);
  const context = { changeId: change.id, kind: "forward", createdBy: caller.userId, beforeRefs } as const;
  if (row.enrolment !== "enrolled") {
    const own = edits.some((edit) => edit.kind === "Server" && edit.name === row.name);
    if (!own) return null;
    const onlyOwn = composition.selected.refs.filter((ref) =>
      edits.some((edit) => edit.kind === "Server" && edit.documentId === ref.document_id),
    );
    const note = planningFinding(
      "plan.server_not_enrolled",
      `${row.name} has no agent yet; only its own document is taken over.`,
    );
    return planRow({ ...composition, selected: { ...composition.selected, refs: onlyOwn } }, null, {
      ...context,
      findings: [note],
    });
  }
  const findings = [
    ...serverFindings(row, house.nowMs()),
    ...(await quarantineFindings(house, row, composition.selected.refs)),
    ...historyFindings(world, edits, composition),
    ...dependants,
    ...(await keyFindings(house, composition)),
    ...(await certificateFindings(house, edits, composition)),
  ];
  // Said before the agent plans: a plan of what it cannot do would only say the same later, and of one thing after the other.
  const lacking = await lackFindings(house, row, composition);
  if (lacking.length > 0) return planRow(composition, null, { ...context, findings: [...lacking, ...findings] });
  return askAndPlan(house, composition, { ...context, findings });
}

/** Asks the agent, where there is anything to ask. */
export async function askAndPlan(
  house: House,
  composition: Composition,
  context: Parameters<typeof planRow>[2],
): Promise<NewPlan> {
  const { config, server } = composition;
  if (config === null) return planRow(composition, null, context);
  const names = composition.composed.config?.secrets ?? [];
  const locked = names.length === 0 ? null : await house.secrets.problem(house.database);
  if (locked !== null) {
    const finding = planningFinding(
      "plan.secrets_locked",
      `${server.name} could not be sent ${names.join(", ")}. ${locked}`,
    );
    return planRow(composition, null, { ...context, findings: [finding, ...context.findings] });
  }
  const asked = await house.agents.plan(server.id, { json: config.text, digest: config.digest });
  // A rollback always goes to the server: its apply ends with the server's own word.
  const isSame = context.kind === "forward" && config.digest === server.confirmedDigest;
  // What it has is what it should have: with nothing changed by hand, or with nobody to ask, there is nothing to do.
  if (isSame && (asked.kind === "unreachable" || asked.value.steps.length === 0))
    return planRow(composition, null, context);
  return planRow(composition, asked, context);
}

export async function keepPlans(house: House, change: ChangeRow, plans: readonly NewPlan[]): Promise<void> {
  const kept = await transaction(house.database, async (tx) => {
    for (const plan of plans) await insertPlan(tx, plan);
    tx.notify(EVENTS_CHANNEL, { kind: "change", action: "change.planned", change_id: change.id });
  });
  if (!kept.ok) throw kept.error;
}

export function assignedRefs(world: World, { server }: Composition): readonly RevisionRef[] {
  return [...(world.assigned.get(server.id) ?? [])]
    .map(([document_id, revision]) => ({ document_id, revision }))
    .sort((a, b) => (a.document_id < b.document_id ? -1 : 1));
}

export function serverFindings(row: ServerRow, nowMs: number): readonly Finding[] {
  return [
    ...(row.locked_code === null
      ? []
      : [planningFinding("plan.server_locked", `${row.name} is locked: ${row.locked_reason ?? row.locked_code}`)]),
    ...(row.paused_until === null || row.paused_until.getTime() <= nowMs
      ? []
      : [
          planningFinding(
            "plan.server_paused",
            `${row.name} is paused until ${row.paused_until.toISOString()}: ${row.paused_reason ?? ""}`,
          ),
        ]),
    ...(runsControlPlane(row.facts)
      ? [
          planningFinding(
            "plan.runs_control_plane",
            `${row.name} runs this control plane: what it hears from itself crosses no wire, so a person on another machine confirms.`,
          ),
        ]
      : []),
  ];
}

async function quarantineFindings(
  house: House,
  row: ServerRow,
  refs: readonly RevisionRef[],
): Promise<readonly Finding[]> {
  const quarantined = await listQuarantines(house.database, row.id);
  return quarantined
    .filter((one) => refs.some((ref) => ref.document_id === one.document_id && ref.revision === one.revision))
    .map((one) =>
      planningFinding(
        "plan.quarantined",
        `Revision ${one.revision} of ${one.kind}/${one.name} was undone on ${row.name} (${one.code}) and is not applied there again.`,
      ),
    );
}

function trialSettings(wish: TrialWish): Partial<TrialSettings> | null {
  const { soakSeconds, windowSeconds, confirm } = wish;
  if (soakSeconds === undefined && windowSeconds === undefined && confirm === undefined) return null;
  return {
    ...(soakSeconds === undefined ? {} : { soakSeconds }),
    ...(windowSeconds === undefined ? {} : { windowSeconds }),
    ...(confirm === undefined ? {} : { confirm: confirm === "person" ? "person_when_management_path" : "machine" }),
  };
}
