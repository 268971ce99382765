import { assertNever } from "../base/never.ts";
import type { ApplyState, Phase } from "./state.ts";

export interface WaitingView {
  readonly state: ApplyState;
  readonly phase: Phase | null;
  readonly wish: "confirm" | "abort" | "force_close" | null;
  readonly needsPerson: boolean;
  /** The agent's session is here. */
  readonly connected: boolean;
  /** The agent has come back over a session that is younger than the change. */
  readonly isBack: boolean;
}

/** In words for a person: what an apply that has not ended waits for now. Null when it has ended. */
export function waitingFor(view: WaitingView): string | null {
  if (view.state === "READY") return view.connected ? "its turn" : "the server to be connected";
  if (view.state !== "APPLYING" && view.state !== "ROLLBACKING") return null;
  if (view.wish === "abort" && view.phase !== "reverting") return "the server to hear that it is to be undone";
  if (view.wish === "force_close") return "its being closed without the server's answer";
  switch (view.phase) {
    case null:
    case "dispatched":
      return view.connected
        ? "the server to check everything before it changes anything"
        : "the server to be connected; nothing has been changed";
    case "prepared":
      return "the probes to say what works before the change";
    case "armed":
      return "the server to begin; its automatic undo is armed";
    case "changing":
      return "the server to make the change and read it back";
    case "on_trial":
      return onTrial(view);
    case "confirming":
      return "the server's word that it keeps the change";
    case "finalizing":
      return "the server to make the change last over a restart";
    case "reverting":
      return "the server to undo the change and read it back";
    case "in_doubt":
      return "the server to say what became of it; nobody guesses";
    default:
      return assertNever(view.phase, "phase");
  }
}

function onTrial(view: WaitingView): string {
  if (!view.connected || !view.isBack) return "the server to come back over a new connection; else it undoes by itself";
  if (view.wish === "confirm") return "the last round of probes before it is kept";
  if (view.needsPerson) return "a person to confirm that it works; else it undoes by itself";
  return "the trial to be over, with every probe passing";
}
