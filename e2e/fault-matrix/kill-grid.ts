import { setMood } from "./crooked-nft.ts";
import type { Fault, Outcome } from "./fault.ts";
import { beginSlowAbort } from "./power-faults.ts";
import { mustKill } from "./process-faults.ts";
import type { Stage } from "./stage.ts";

/** Whoever takes part, killed at each record of the ledger in turn: what the fault table tells of a few moments holds at all of them. */
const STEPS = ["prepared", "armed", "step_begin", "step_done", "on_trial", "confirmed"] as const;
type GridStep = (typeof STEPS)[number];

const KILL = {
  session: async (stage) => mustKill(stage, "session"),
  guard: async (stage) => mustKill(stage, "guard"),
  module: async (stage) => mustKill(stage, "module"),
  control: (stage) => stage.house.killControl(),
  database: async (stage) => stage.house.database.kill(),
  power: (stage) => stage.server.machine.cut(),
} as const satisfies Record<string, (stage: Stage) => Promise<void>>;
type Victim = keyof typeof KILL;

const ENDINGS = {
  applied: { expectedState: "APPLIED", expectedEffect: null, expectedServer: "as_requested" },
  undone: { expectedState: "ROLLED_BACK", expectedEffect: null, expectedServer: "as_before" },
  refused: { expectedState: "FAILED", expectedEffect: "none", expectedServer: "as_before" },
} as const satisfies Record<string, Outcome>;
type EndingName = keyof typeof ENDINGS;

/** Who is only in the way of a confirmation may come back in time or not; who changes the server is never continued; what is confirmed stays. */
const AFTER = {
  session: { before: ["applied", "undone"], changing: ["applied", "undone"], trial: ["applied", "undone"] },
  guard: { before: ["applied", "undone"], changing: ["undone"], trial: ["applied", "undone"] },
  module: { before: ["applied", "undone"], changing: ["applied", "undone"], trial: ["applied", "undone"] },
  control: { before: ["applied", "undone", "refused"], changing: ["applied", "undone"], trial: ["applied", "undone"] },
  database: { before: ["applied", "undone", "refused"], changing: ["applied", "undone"], trial: ["applied", "undone"] },
  power: { before: ["refused"], changing: ["undone"], trial: ["undone"] },
} as const satisfies Record<Victim, Record<"before" | "changing" | "trial", readonly EndingName[]>>;

function endingsOf(victim: Victim, step: GridStep): readonly Outcome[] {
  return namesOf(victim, step).map((name) => ENDINGS[name]);
}

function namesOf(victim: Victim, step: GridStep): readonly EndingName[] {
  switch (step) {
    case "prepared":
      return AFTER[victim].before;
    case "armed":
    case "step_begin":
    case "step_done":
      return AFTER[victim].changing;
    case "on_trial":
      return AFTER[victim].trial;
    case "confirmed":
      return ["applied"];
  }
}

/** One cell for each victim in every test run. */
const SLICE: Readonly<Record<Victim, GridStep>> = {
  session: "step_done",
  guard: "step_done",
  module: "on_trial",
  control: "step_done",
  database: "on_trial",
  power: "confirmed",
};

const VICTIMS = Object.keys(KILL) as readonly Victim[];

/** Whoever may die while the undo is under way. The undo itself and power are rows 10 and 19; a module is ended before an undo begins. */
const DURING_UNDO = ["session", "guard", "control", "database"] as const satisfies readonly Victim[];

export const KILL_GRID: readonly Fault[] = [
  ...VICTIMS.flatMap((victim) =>
    STEPS.map((step): Fault => ({
      test: `kill-${victim}-${step}`,
      how: `${victim} at ${step}`,
      ...(SLICE[victim] === step ? { slice: true } : {}),
      outcomes: endingsOf(victim, step),
      suffer: async (stage) => stage.end(await stage.at(step, () => KILL[victim](stage))),
    })),
  ),
  ...DURING_UNDO.map((victim): Fault => ({
    test: `kill-${victim}-reverting`,
    how: `${victim} at reverting`,
    ...(victim === "guard" ? { slice: true } : {}),
    outcomes: [ENDINGS.undone],
    async suffer(stage) {
      const begun = await beginSlowAbort(stage);
      await KILL[victim](stage);
      const ending = await stage.end(begun);
      await setMood(stage.server, "honest");
      return ending;
    },
  })),
];
