import type { StepUpSettings } from "../access/step-up.ts";
import type { ApprovalRule } from "../apply/approvals.ts";
import type { WhenFloorLost } from "../floor/keep-floor.ts";
import type { TrialSettings } from "./effective-config.ts";

/** The union of all `Floor` documents whose selector matches one server; the strictest of each wins. */
export interface FloorSettings {
  /** Who may always come in, to which TCP ports. CIDR networks, sorted. */
  readonly management: readonly {
    readonly name: string;
    readonly networks: readonly string[];
    readonly tcpPorts: readonly number[];
  }[];
  readonly trial: TrialSettings;
  /** How many people besides the author must approve. */
  readonly approvals: number;
  /** Null: a signed-in session is enough. */
  readonly stepUp: StepUpSettings | null;
  /** More, where a change is risky: the rows of all floors. */
  readonly approvalsWhen: readonly ApprovalRule[];
  /** True where a floor allows to apply before the approvals in an emergency, and none refuses it. */
  readonly breakGlass: boolean;
  /** What the server does by itself when the floor is lost outside of a change; `repair` where any floor says so. */
  readonly whenLost: WhenFloorLost;
  readonly waves: WaveSettings;
}

export interface WaveSettings {
  /** Servers in the first wave; 1 unless the floor says otherwise. */
  readonly canary: number;
  /** Growing share of the servers, in percent, after the canary, for example [25, 100]. */
  readonly percent: readonly number[];
  /** Seconds to wait between waves. */
  readonly pauseSeconds: number;
  /** Servers on trial at once, over all rollouts. */
  readonly atOnce: number;
}

export const DEFAULT_WAVES: WaveSettings = { canary: 1, percent: [25, 100], pauseSeconds: 0, atOnce: 10 };
