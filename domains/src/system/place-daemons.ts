import type { Finding } from "@holdfast/core/base/finding.ts";
import { ntpSlot, runningChrony } from "./chrony.ts";
import { NTP_UNITS, type SystemObserved } from "./facts.ts";
import { finding } from "./findings.ts";
import type { SystemConfig } from "./model.ts";
import { isThroughResolved, MOST_SERVERS, RESOLV_CONF, resolverSlot, writerOfResolvConf } from "./resolv-conf.ts";

/** Whether somebody on this server would read what is written for time, names and logs, and nobody else writes it. */
export function daemonFindings(desired: SystemConfig, observed: SystemObserved): readonly Finding[] {
  if (observed.booting) return [];
  const isActive = (unit: string): boolean => observed.units?.[unit]?.active === "active";
  return [
    ...(desired.ntp === undefined ? [] : ntpFindings(desired.ntp, observed)),
    ...(desired.resolver === undefined ? [] : resolverFindings(desired.resolver, observed)),
    ...(desired.logs === undefined ? [] : logFindings(desired.logs, observed, isActive(RSYSLOG))),
  ];
}

const RSYSLOG = "rsyslog.service";

function logFindings(
  logs: NonNullable<SystemConfig["logs"]>,
  observed: SystemObserved,
  isRunning: boolean,
): readonly Finding[] {
  if (!isRunning)
    return [
      finding(
        "system.logs_no_rsyslog",
        "system.logs",
        "rsyslog does not run on this server, so nobody would send its logs anywhere.",
      ),
    ];
  if (observed.logDrivers.length > 0 || logs.to.every(({ by }) => by !== "tls")) return [];
  return [
    finding("system.logs_no_tls", "system.logs.to", "rsyslog of this server has nothing with which it speaks TLS."),
  ];
}

function ntpFindings(ntp: NonNullable<SystemConfig["ntp"]>, observed: SystemObserved): readonly Finding[] {
  const isActive = (unit: string): boolean => observed.units?.[unit]?.active === "active";
  const chrony = runningChrony(observed);
  if (ntpSlot(observed) === "chrony")
    return [
      ...(chrony === null
        ? [finding("system.ntp_nobody", "system.ntp", "chrony, which has these servers, does not run on this server.")]
        : []),
      ...(ntp.fallback === undefined
        ? []
        : [
            finding(
              "system.ntp_no_fallback",
              "system.ntp.fallback",
              "chrony keeps the time of this server, and asks all servers that it knows at once.",
            ),
          ]),
      finding(
        "system.ntp_beside_others",
        "system.ntp.servers",
        "chrony asks those of its own files as well; nothing of ours takes them away.",
      ),
    ];
  const other = [...NTP_UNITS.chrony, ...NTP_UNITS.others].find(isActive);
  if (other !== undefined)
    return [
      finding(
        "system.ntp_not_timesyncd",
        "system.ntp",
        `${other} keeps the time of this server, and would not read these servers.`,
      ),
    ];
  return isActive(NTP_UNITS.timesyncd)
    ? []
    : [
        finding(
          "system.ntp_nobody",
          "system.ntp",
          "Nobody keeps the time of this server, so nobody would read these servers.",
        ),
      ];
}

function resolverFindings(
  resolver: NonNullable<SystemConfig["resolver"]>,
  observed: SystemObserved,
): readonly Finding[] {
  if (resolverSlot(observed) === "resolver")
    return isThroughResolved(observed)
      ? []
      : [
          finding(
            "system.resolver_not_resolved",
            "system.resolver",
            `Names of this server are not looked up through systemd-resolved, and ${RESOLV_CONF} is no plain file.`,
          ),
        ];
  const writer = writerOfResolvConf(observed);
  return [
    ...(writer === null
      ? []
      : [
          finding(
            "system.resolver_managed",
            "system.resolver",
            `${writer} writes ${RESOLV_CONF} on this server, and would undo this at any time.`,
          ),
        ]),
    ...((resolver.servers ?? []).length > MOST_SERVERS
      ? [
          finding(
            "system.resolver_too_many",
            "system.resolver.servers",
            `Programs read the first ${MOST_SERVERS} name servers of ${RESOLV_CONF} and no more.`,
          ),
        ]
      : []),
  ];
}
