import type { Finding } from "@holdfast/core/base/finding.ts";
import { aptWish, laterAptLines, NO_RESTART } from "./apt-text.ts";
import type { SystemObserved } from "./facts.ts";
import { finding } from "./findings.ts";
import type { SystemConfig } from "./model.ts";
import { otherProxyLines } from "./proxy-text.ts";
import { UPDATES_TIMER, UPDATES_TIMER_FILE } from "./timer-text.ts";

/** Whether somebody on this server would install packages by itself, when, and who else says so. */
export function updateFindings(desired: SystemConfig, observed: SystemObserved): readonly Finding[] {
  const { updates } = desired;
  if (updates === undefined || observed.booting) return [];
  if (observed.apt === null)
    return [finding("system.updates_no_apt", "system.updates", "This server has no apt, so nobody reads this here.")];
  const isInstalling = updates.install !== "none" && (updates.install !== undefined || updates.restart !== undefined);
  if (isInstalling && !observed.unattendedUpgrades)
    return [
      finding(
        "system.updates_no_package",
        "system.updates",
        "The package unattended-upgrades is not installed on this server, so nothing would be installed by itself.",
      ),
    ];
  const later = laterAptLines(aptWish(updates) ?? {}, observed.aptLines).map(({ path, line, key }) =>
    finding(
      "system.updates_overridden",
      /reboot/i.test(key) ? "system.updates.restart" : "system.updates.install",
      `${path} line ${line} says ${key} too, and apt reads it after our file.`,
    ),
  );
  const timed =
    updates.window === undefined ? [] : observed.updatesTimerLines.filter(({ path }) => path > UPDATES_TIMER_FILE);
  const late = timed.map(({ path, line, key }) =>
    finding(
      "system.updates_overridden",
      "system.updates.window",
      `${path} line ${line} says ${key} too, and systemd reads it after our file.`,
    ),
  );
  const timer = observed.units?.[UPDATES_TIMER];
  const needsTimer = isInstalling || updates.window !== undefined;
  const isIdle = needsTimer && (timer?.active !== "active" || timer.file !== "enabled");
  const idle = isIdle
    ? [
        finding(
          "system.updates_no_timer",
          "system.updates",
          `${UPDATES_TIMER} does not run on this server, so nothing would be installed at any time.`,
        ),
      ]
    : [];
  const restarts =
    updates.restart === undefined || updates.restart === NO_RESTART
      ? []
      : [
          finding(
            "system.updates_restart",
            "system.updates.restart",
            `The server restarts by itself at ${updates.restart} of its own time when something that was installed asks for it.`,
          ),
        ];
  return [...later, ...late, ...idle, ...restarts];
}

/** Whether anybody reads by which proxy to go, and who else says so. */
export function proxyFindings({ proxy }: SystemConfig, observed: SystemObserved): readonly Finding[] {
  if (proxy === undefined) return [];
  if (observed.apt === null)
    return [finding("system.proxy_no_apt", "system.proxy", "This server has no apt, so nobody reads this here.")];
  return otherProxyLines(proxy, observed.aptLines).map(({ path, line, key }) =>
    finding(
      "system.proxy_overridden",
      "system.proxy",
      `${path} line ${line} says ${key} too, and apt goes by that and not by our file.`,
    ),
  );
}
