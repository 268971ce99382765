import type { Ledger } from "../ledger/ledger.ts";
import type { Log } from "../log/log.ts";
import type { Clock } from "../os/clock.ts";
import type { Init } from "../os/init.ts";
import type { AgentPaths } from "../paths.ts";
import type { Identity } from "../settings.ts";
import type { ConfigShelf } from "./config-shelf.ts";
import type { Modules } from "./modules.ts";
import type { GuardPlan } from "./planning.ts";
import type { ReceiptSigner } from "./receipt.ts";
import type { SealOpener } from "./sealing.ts";

/** What every part of the guard works with. */
export interface GuardContext {
  readonly paths: AgentPaths;
  /** As it is now: its command key may have been changed. */
  readonly identity: Identity;
  /** Writes it down in place of the ones before, then obeys it. @throws the system's error when the disk refuses; all is as it was then */
  readonly trustCommandKey: (rawPublicKeyHex: string) => void;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly init: Init;
  readonly modules: Modules;
  readonly signer: ReceiptSigner;
  readonly sealing: SealOpener;
  readonly log: Log;
  readonly version: string;
  /** Configs that were taken apart lately. */
  readonly configs: ConfigShelf;
  /** Plans that were just prepared, by request; forgotten with the process, and then made again. */
  readonly recentPlans: Map<string, RecentPlan>;
}

export interface RecentPlan {
  readonly plan: GuardPlan;
  readonly atMs: number;
}
