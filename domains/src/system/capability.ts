import { type Lack, lackOf } from "@holdfast/core/capability/lack.ts";
import type { Requirement } from "@holdfast/core/capability/requirement.ts";
import type { SystemObserved } from "./facts.ts";
import type { SystemConfig } from "./model.ts";
import { daemonFindings } from "./place-daemons.ts";
import { missingSshd } from "./place.ts";

/** Settings that a program on the server must be there for. */
const SERVED = ["ssh", "ntp", "resolver", "logs"] as const;
const ASKING: Pick<SystemConfig, "ntp" | "resolver" | "logs"> = { ntp: {}, resolver: {}, logs: { to: [] } };

/** What this server cannot do: settings that nobody there would read, or that somebody else writes. */
export function systemLacks(observed: SystemObserved): readonly Lack[] {
  const missing = [...missingSshd(observed), ...daemonFindings(ASKING, observed)];
  return SERVED.flatMap((served) =>
    missing
      .filter(({ severity, path }) => severity === "error" && path === `system.${served}`)
      .map((one) => lackOf(served, one)),
  );
}

export function systemRequirements(config: SystemConfig): readonly Requirement[] {
  return SERVED.filter((served) => config[served] !== undefined).map((served) => ({
    feature: served,
    item: `system.${served}`,
  }));
}
