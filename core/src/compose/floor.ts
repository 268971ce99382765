import { strictestStepUp } from "../access/step-up.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import type { Finding } from "../base/finding.ts";
import { addressSetFromText, ANY, type AddressSet, toNetworks, union } from "../net/address-set.ts";
import { formatNetwork } from "../net/network.ts";
import { type FloorDocument, documentId } from "../policy/document.ts";
import { formatDuration } from "../policy/duration.ts";
import { DEFAULT_TRIAL, type ProvenanceEntry, type TrialSettings } from "./effective-config.ts";
import { composeFinding } from "./findings.ts";
import { DEFAULT_WAVES, type FloorSettings } from "./floor-settings.ts";

export interface AssignedFloor {
  readonly document: FloorDocument;
  readonly revision: number;
}

/**
 * All floors of one server as one: management networks are united, and of every other setting the strictest that is said holds. What no
 * floor says is the default; a floor alone may be looser than the default, because it is the floor that decides.
 */
export function uniteFloors(floors: readonly AssignedFloor[]): {
  readonly settings: FloorSettings;
  readonly provenance: readonly ProvenanceEntry[];
  readonly findings: readonly Finding[];
} {
  const trials = floors.map(({ document }) => document.body.trial);
  const waves = floors.map(({ document }) => document.body.waves);
  const steps = [...new Set(waves.flatMap((one) => one.percent ?? []))].toSorted((a, b) => a - b);
  const trial: TrialSettings = {
    reconnectSeconds: least(trials.map((one) => one.reconnectSeconds)) ?? DEFAULT_TRIAL.reconnectSeconds,
    soakSeconds: most(trials.map((one) => one.soakSeconds)) ?? DEFAULT_TRIAL.soakSeconds,
    windowSeconds: least(trials.map((one) => one.windowSeconds)) ?? DEFAULT_TRIAL.windowSeconds,
    confirm: trials.some((one) => one.confirm === "person") ? "person_when_management_path" : "machine",
  };
  const management = managementOf(floors);
  return {
    settings: {
      management: management.map(({ entry }) => entry),
      trial,
      approvals: most(floors.map(({ document }) => document.body.approvals)) ?? 0,
      approvalsWhen: floors.flatMap(({ document }) => document.body.approvalsWhen),
      breakGlass:
        floors.some(({ document }) => document.body.breakGlass === "allowed") &&
        floors.every(({ document }) => document.body.breakGlass !== "refused"),
      stepUp: strictestStepUp(floors.map(({ document }) => document.body.stepUp)),
      whenLost: floors.some(({ document }) => document.body.whenLost === "repair") ? "repair" : "alarm",
      waves: {
        canary: least(waves.map((one) => one.canary)) ?? DEFAULT_WAVES.canary,
        // Every step of every floor: at least as gradual as each of them.
        percent: steps.length === 0 ? DEFAULT_WAVES.percent : steps,
        pauseSeconds: most(waves.map((one) => one.pauseSeconds)) ?? DEFAULT_WAVES.pauseSeconds,
        atOnce: least(waves.map((one) => one.atOnce)) ?? DEFAULT_WAVES.atOnce,
      },
    },
    provenance: management.map(({ entry, from }) => ({ item: `managementPath.inbound.${entry.name}`, from, beat: [] })),
    findings: windowFindings(trial, floors.at(-1)),
  };
}

/** What the author of a change may ask for: the floor's settings or stricter ones. Asking for looser ones is refused, not ignored. */
export function stricterTrial(
  floor: TrialSettings,
  wish: Partial<TrialSettings>,
): { readonly trial: TrialSettings; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const refuse = (key: keyof TrialSettings, asked: string, allowed: string): void =>
    void findings.push(
      composeFinding("compose.trial_looser", `The change asks for ${asked}; the floor allows ${allowed}.`, {
        path: `trial.${key}`,
      }),
    );
  const {
    reconnectSeconds = floor.reconnectSeconds,
    soakSeconds = floor.soakSeconds,
    windowSeconds = floor.windowSeconds,
    confirm = floor.confirm,
  } = wish;
  if (reconnectSeconds > floor.reconnectSeconds)
    refuse(
      "reconnectSeconds",
      `a reconnect of ${formatDuration(reconnectSeconds)}`,
      `${formatDuration(floor.reconnectSeconds)} at most`,
    );
  if (soakSeconds < floor.soakSeconds)
    refuse("soakSeconds", `a soak of ${formatDuration(soakSeconds)}`, `${formatDuration(floor.soakSeconds)} at least`);
  if (windowSeconds > floor.windowSeconds)
    refuse(
      "windowSeconds",
      `a window of ${formatDuration(windowSeconds)}`,
      `${formatDuration(floor.windowSeconds)} at most`,
    );
  if (confirm === "machine" && floor.confirm !== "machine")
    refuse("confirm", "confirmation by machine", "a person only");
  if (findings.length > 0) return { trial: floor, findings };
  const trial: TrialSettings = { reconnectSeconds, soakSeconds, windowSeconds, confirm };
  return { trial, findings: windowFindings(trial, undefined) };
}

function windowFindings(trial: TrialSettings, floor: AssignedFloor | undefined): readonly Finding[] {
  if (trial.soakSeconds < trial.windowSeconds && trial.reconnectSeconds <= trial.windowSeconds) return [];
  const message = `The trial could never be confirmed: it soaks ${formatDuration(trial.soakSeconds)}, waits ${formatDuration(trial.reconnectSeconds)} for the agent, and ends after ${formatDuration(trial.windowSeconds)}.`;
  return [
    composeFinding("compose.trial_window", message, {
      path: "trial",
      ...(floor === undefined ? {} : { document: documentId(floor.document) }),
    }),
  ];
}

function managementOf(
  floors: readonly AssignedFloor[],
): readonly { readonly entry: FloorSettings["management"][number]; readonly from: ProvenanceEntry["from"] }[] {
  const all = floors.flatMap(({ document, revision }) =>
    document.body.management.map((item, index) => ({
      entry: {
        name: item.name,
        networks: toNetworks(union(...item.networks.map(managementSet))).map(formatNetwork),
        tcpPorts: [...new Set(item.tcpPorts)].toSorted((a, b) => a - b),
      },
      from: { document: documentId(document), revision, layer: "floor" as const, path: `management[${index}]` },
      prefix: document.name,
    })),
  );
  const texts = all.map(({ entry }) => canonicalJson(entry));
  const unique = all.filter((_, index) => texts.indexOf(texts[index] ?? "") === index);
  // One name for two different entries of two floors: both hold, each under the name of its floor.
  return unique
    .map(({ entry, from, prefix }) => {
      const shared = unique.filter((other) => other.entry.name === entry.name).length > 1;
      return { entry: { ...entry, name: shared ? `${prefix}-${entry.name}` : entry.name }, from };
    })
    .toSorted((a, b) => (a.entry.name < b.entry.name ? -1 : 1));
}

function managementSet(text: string): AddressSet {
  if (text === "any") return ANY;
  const set = addressSetFromText(text);
  // The document was parsed with this very parser.
  if (!set.ok) throw new Error(`a floor that was parsed holds a bad network: ${set.error}`);
  return set.value;
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const stated = values.filter((value) => value !== undefined);
  return stated.length === 0 ? undefined : Math.min(...stated);
}

function most(values: readonly (number | undefined)[]): number | undefined {
  const stated = values.filter((value) => value !== undefined);
  return stated.length === 0 ? undefined : Math.max(...stated);
}
