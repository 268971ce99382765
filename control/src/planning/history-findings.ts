import type { Finding } from "@holdfast/core/base/finding.ts";
import type { Composition } from "./compose-for.ts";
import { planningFinding } from "./planning-findings.ts";
import type { Edit } from "./selection.ts";
import { labelsOf, ownDocument, type World } from "./world.ts";

/**
 * What comes along that the author may not have in mind: revisions that this server never had, policies that it newly comes under or leaves,
 * and labels, which say who may do what to it.
 */
export function historyFindings(world: World, edits: readonly Edit[], composition: Composition): readonly Finding[] {
  return [
    ...leaving(world, composition),
    ...labelFindings(world, composition),
    ...gains(world, edits, composition),
    ...losses(world, edits, composition),
  ];
}

/** It is written in one word and takes everything. */
function leaving(world: World, { server, selected }: Composition): readonly Finding[] {
  if (selected.leaves === null) return [];
  const hasLeft = ownDocument(world, server)?.document.body.leaves === true;
  return [
    ...(hasLeft
      ? []
      : [
          planningFinding(
            "plan.lets_go",
            `${server.name} leaves: every setting that Holdfast has made there goes back to what was found before it, the firewall included.`,
            "leaves",
          ),
        ]),
    ...selected.leaves.tunnels.map((tunnel) =>
      planningFinding("plan.tunnel_stays", `Tunnel/${tunnel} still has an end on ${server.name}.`, "leaves"),
    ),
  ];
}

/** Permissions are given by label, so a label that changes gives the server into other hands. */
function labelFindings(world: World, { server, selected }: Composition): readonly Finding[] {
  const before = labelsOf(world, server);
  const after = selected.labels;
  const moved = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => before[key] !== after[key])
    .toSorted()
    .map((key) => `${key} ${before[key] ?? "(none)"} → ${after[key] ?? "(none)"}`);
  if (moved.length === 0) return [];
  return [
    planningFinding(
      "plan.labels_move",
      `The labels of ${server.name} change (${moved.join(", ")}): who may see and change it by its labels changes with them.`,
    ),
  ];
}

function gains(world: World, edits: readonly Edit[], { server, selected }: Composition): readonly Finding[] {
  const assigned = world.assigned.get(server.id);
  return selected.refs.flatMap((ref): readonly Finding[] => {
    const edit = edits.find((one) => one.documentId === ref.document_id);
    const here = assigned?.get(ref.document_id);
    const head = world.heads.get(ref.document_id);
    const name = edit === undefined ? `${head?.kind ?? ""}/${head?.name ?? ""}` : `${edit.kind}/${edit.name}`;
    if (edit !== undefined && here !== undefined && here < ref.revision - 1) {
      return [
        planningFinding(
          "plan.brings_earlier",
          `${server.name} has revision ${here} of ${name}: this brings what was written since, up to ${ref.revision}.`,
        ),
      ];
    }
    if (here !== undefined || head?.kind !== "Policy") return [];
    // A policy that is new itself is what the author is writing; one that others have comes along.
    const isInForceOnOthers = [...world.assigned.values()].some((own) => own.has(ref.document_id));
    if (edit !== undefined && !isInForceOnOthers) return [];
    return [
      planningFinding(
        "plan.joins",
        `${server.name} newly comes under ${name}, revision ${ref.revision}, which is in force on others.`,
      ),
    ];
  });
}

function losses(world: World, edits: readonly Edit[], { server, selected }: Composition): readonly Finding[] {
  const kept = new Set(selected.refs.map((ref) => ref.document_id));
  return [...(world.assigned.get(server.id) ?? [])].flatMap(([id]): readonly Finding[] => {
    const head = world.heads.get(id);
    if (kept.has(id) || (head?.kind !== "Policy" && head?.kind !== "Floor")) return [];
    const isDeleted = edits.some((edit) => edit.documentId === id && edit.document === null);
    const why = isDeleted
      ? "it is deleted"
      : selected.leaves === null
        ? "it does not select the server any more"
        : "the server leaves";
    return [planningFinding("plan.leaves", `${server.name} leaves ${head.kind}/${head.name}: ${why}.`)];
  });
}
