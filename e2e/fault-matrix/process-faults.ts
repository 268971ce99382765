import { setMood, whileLoading } from "./crooked-nft.ts";
import type { Fault } from "./fault.ts";
import { beginSlowUndo } from "./power-faults.ts";
import type { Ending, Stage } from "./stage.ts";

/** The agent's own processes, killed or lying. */
export const PROCESS_FAULTS: readonly Fault[] = [
  {
    test: "fault-08-killed-while-changing",
    slice: true,
    async suffer(stage) {
      await setMood(stage.server, "slow");
      const begun = await stage.begin();
      await whileLoading(stage.server);
      mustKill(stage, "module");
      await setMood(stage.server, "honest");
      return stage.end(begun);
    },
  },
  {
    test: "fault-10-revert-killed",
    slice: true,
    async suffer(stage) {
      const begun = await beginSlowUndo(stage);
      mustKill(stage, "revert");
      const ending = await stage.end(begun);
      await setMood(stage.server, "honest");
      return ending;
    },
  },
  {
    test: "fault-26-module-lies",
    suffer: (stage) => inMood(stage, "lie"),
  },
  {
    test: "fault-27-restore-fails",
    async suffer(stage) {
      await setMood(stage.server, "honest");
      const begun = await stage.at("step_done", async () => {
        await setMood(stage.server, "fail");
        mustKill(stage, "guard");
      });
      const ending = await stage.end(begun);
      await setMood(stage.server, "honest");
      // A person looks, and tries the undo again.
      const again = await stage.server.agent.run("revert", "--yes");
      if (again.code !== 0) throw new Error(`the undo cannot be tried again: ${again.stderr}`);
      return ending;
    },
  },
];

export function mustKill(stage: Stage, role: "session" | "guard" | "module" | "revert"): void {
  if (stage.server.kill(role) === 0) throw new Error(`there was no ${role} to kill on ${stage.server.name}`);
}

/** nft says that it has done everything. */
async function inMood(stage: Stage, mood: "lie"): Promise<Ending> {
  await setMood(stage.server, "honest");
  const begun = await stage.at("prepared", () => setMood(stage.server, mood));
  const ending = await stage.end(begun);
  await setMood(stage.server, "honest");
  return ending;
}
