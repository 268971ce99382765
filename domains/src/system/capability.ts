import { type Lack, lackOf } from "@holdfast/core/capability/lack.ts";
import type { Requirement } from "@holdfast/core/capability/requirement.ts";
import type { SystemObserved } from "./facts.ts";
import type { SystemConfig } from "./model.ts";
import { daemonFindings } from "./place-daemons.ts";
import { uncounted, unjudged } from "./place-passwords.ts";
import { updateFindings } from "./place-updates.ts";
import { missingSshd } from "./place.ts";

/** Settings that a program on the server must be there for. */
const SERVED = ["ssh", "ntp", "resolver", "logs", "updates", "passwords.quality", "passwords.lockout"] as const;
const ASKING: Pick<SystemConfig, "ntp" | "resolver" | "logs" | "updates"> = {
  ntp: {},
  resolver: {},
  logs: { to: [] },
  updates: { install: "security" },
};

/** What this server cannot do: settings that nobody there would read, or that somebody else writes. */
export function systemLacks(observed: SystemObserved): readonly Lack[] {
  const missing = [
    ...missingSshd(observed),
    ...daemonFindings(ASKING, observed),
    ...updateFindings(ASKING, observed),
    ...unjudged(observed),
    ...uncounted(observed),
  ];
  return SERVED.flatMap((served) =>
    missing
      .filter(({ severity, path }) => severity === "error" && path === `system.${served}`)
      .map((one) => lackOf(served, one)),
  );
}

export function systemRequirements(config: SystemConfig): readonly Requirement[] {
  return SERVED.filter((served) => isAskedFor(config, served)).map((served) => ({
    feature: served,
    item: `system.${served}`,
  }));
}

/** That nothing is installed by itself needs nobody. */
function isAskedFor(config: SystemConfig, served: (typeof SERVED)[number]): boolean {
  switch (served) {
    case "updates":
      return config.updates !== undefined && config.updates.install !== "none";
    case "passwords.quality":
      return config.passwords?.quality !== undefined;
    case "passwords.lockout":
      return config.passwords?.lockout !== undefined;
    case "ssh":
    case "ntp":
    case "resolver":
    case "logs":
      return config[served] !== undefined;
  }
}
