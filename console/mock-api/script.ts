import type { ApplyState, Effect, Phase, ServerIs } from "@holdfast/core/apply/state.ts";

/** How an apply goes, as moments after its start. The mock has no servers: this is the whole of its "server side". */
export interface Moment {
  readonly afterMs: number;
  readonly state: ApplyState;
  readonly phase: Phase | null;
  readonly waitingFor?: string;
  readonly lastStep?: string;
  readonly code?: string;
  readonly message?: string;
  readonly effect?: Effect;
  readonly serverIs: ServerIs;
}

export const SCRIPT_NAMES = ["good", "person", "cut", "probe", "refused", "doubt", "restore_failed"] as const;
export type ScriptName = (typeof SCRIPT_NAMES)[number];

/** Seconds that the server gives before it undoes, by script. */
export const WINDOW_SECONDS = {
  good: 60,
  person: 60,
  cut: 15,
  probe: 30,
  refused: 30,
  doubt: 30,
  restore_failed: 20,
} as const satisfies Record<ScriptName, number>;

const BEFORE = "as_before";
const START: readonly Moment[] = [
  { afterMs: 0, state: "APPLYING", phase: "dispatched", serverIs: BEFORE, waitingFor: "the agent’s answer to Prepare" },
  { afterMs: 500, state: "APPLYING", phase: "prepared", serverIs: BEFORE, waitingFor: "the agent to arm its undo" },
  { afterMs: 900, state: "APPLYING", phase: "armed", serverIs: BEFORE, lastStep: "Armed the automatic undo" },
  {
    afterMs: 1300,
    state: "APPLYING",
    phase: "changing",
    serverIs: "unknown",
    lastStep: "Replace the rules of inbound in one batch",
  },
];
const TRIAL: Moment = {
  afterMs: 2200,
  state: "APPLYING",
  phase: "on_trial",
  serverIs: "as_requested",
  waitingFor: "the agent to come back over a new connection",
  lastStep: "Replace the rules of inbound in one batch",
};
const BACK: Moment = { ...TRIAL, afterMs: 3600, waitingFor: "2 of 4 probes" };

export const SCRIPTS = {
  good: [
    ...START,
    TRIAL,
    BACK,
    {
      afterMs: 5200,
      state: "APPLYING",
      phase: "confirming",
      serverIs: "as_requested",
      waitingFor: "the agent’s receipt",
    },
    {
      afterMs: 5800,
      state: "APPLYING",
      phase: "finalizing",
      serverIs: "as_requested",
      lastStep: "Write the boot file",
    },
    { afterMs: 6400, state: "APPLIED", phase: null, serverIs: "as_requested" },
  ],
  person: [
    ...START,
    TRIAL,
    { ...TRIAL, afterMs: 3600, waitingFor: "a person to press Confirm" },
    ...undo(60_000, "apply.not_confirmed", "Nobody confirmed within 60 s, so the server went back to what it was."),
  ],
  cut: [
    ...START,
    TRIAL,
    ...undo(
      15_000,
      "apply.not_reconnected",
      "The agent could not make a new connection within 15 s of the change, so the server went back to what it was.",
    ),
  ],
  probe: [
    ...START,
    TRIAL,
    BACK,
    ...undo(
      5500,
      "apply.probe_failed",
      "Port 443 was open before the change and is closed after it, so the server went back to what it was.",
    ),
  ],
  refused: [
    ...START.slice(0, 1),
    {
      afterMs: 700,
      state: "FAILED",
      phase: null,
      serverIs: BEFORE,
      effect: "none",
      code: "apply.drift_in_the_way",
      message:
        "The server’s rules differ from what was confirmed, and the plan does not say to overwrite them. Nothing was changed.",
    },
  ],
  doubt: [
    ...START,
    TRIAL,
    {
      afterMs: 4000,
      state: "APPLYING",
      phase: "in_doubt",
      serverIs: "unknown",
      waitingFor: "the agent, which is not connected; asked every 5 s",
      lastStep: "Replace the rules of inbound in one batch",
    },
  ],
  restore_failed: [
    ...START,
    TRIAL,
    {
      afterMs: 5000,
      state: "ROLLBACKING",
      phase: "reverting",
      serverIs: "unknown",
      waitingFor: "the server to read itself back",
    },
    {
      afterMs: 6500,
      state: "FAILED",
      phase: null,
      serverIs: "mixed",
      effect: "restore_failed",
      code: "apply.restore_failed",
      message:
        "The undo began, and nft refused to load the snapshot: No space left on device. The server is between before and after, and locked.",
    },
  ],
} as const satisfies Record<ScriptName, readonly Moment[]>;

function undo(afterMs: number, code: string, message: string): readonly Moment[] {
  return [
    {
      afterMs,
      state: "ROLLBACKING",
      phase: "reverting",
      serverIs: "unknown",
      waitingFor: "the server to read itself back",
      code,
      message,
    },
    { afterMs: afterMs + 1200, state: "ROLLED_BACK", phase: null, serverIs: BEFORE, code, message },
  ];
}

/** What an operator's abort does, from wherever it is. */
export function abortScript(begun: readonly Moment[], atMs: number): readonly Moment[] {
  const until = begun.filter((moment) => moment.afterMs <= atMs);
  return [...until, ...undo(atMs + 1, "apply.aborted", "An operator aborted it; the server went back to what it was.")];
}

export function confirmScript(begun: readonly Moment[], atMs: number): readonly Moment[] {
  const until = begun.filter((moment) => moment.afterMs <= atMs);
  const shift = atMs - 5200;
  return [
    ...until,
    ...SCRIPTS.good
      .filter((moment) => moment.afterMs >= 5200)
      .map((moment) => ({ ...moment, afterMs: moment.afterMs + shift + 1 })),
  ];
}

/** Words in a document's text decide what happens, so that a test provokes it through the real pages: `# mock: cut`. */
export function scriptFor(texts: readonly string[]): ScriptName {
  const all = texts.join("\n");
  const asked = /# mock: (\w+)/.exec(all)?.[1];
  return SCRIPT_NAMES.find((name) => name === asked) ?? "good";
}
