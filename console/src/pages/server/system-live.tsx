import type { SystemConfig } from "@holdfast/domains/system/model.ts";
import { Alert, Label } from "@patternfly/react-core";
import { type ReactNode, useState } from "react";
import { type Translate, useT } from "../../i18n/language.ts";
import { differencesAt, originOf, originsBelow } from "../../live/at-item.ts";
import type { SystemSeen } from "../../live/observed.ts";
import {
  nameServersOf,
  setterOf,
  sshRows,
  taskRows,
  timeKeeperOf,
  timezoneOf,
  updatesNow,
} from "../../live/system-settings.ts";
import { TableHead } from "../../ui/table-head.tsx";
import { Differences, type LiveProps, type Setting, SettingTable } from "./live-parts.tsx";
import { People } from "./system-people.tsx";

type Props = LiveProps<SystemConfig, SystemSeen>;

/** Paths of differences that have a place of their own below. */
const PLACED =
  /^(hostname$|timezone$|ssh$|ntp$|chrony$|resolver$|logs$|limits$|login:|updates:|sudo$|(sysctl|unit|task|user|comment|shell|members|keys):|file:\/etc\/(hostname|timezone|resolv\.conf|apt\/.*|security\/.*)$)/;

/** What the server is: its name, its time, its people, its settings, each beside what it should be. */
export function SystemLive(props: Props): ReactNode {
  const t = useT();
  const { seen, differences } = props;
  const ssh = sshSettings(props);
  const sysctl = sysctlSettings(props, t);
  const units = unitSettings(props, t);
  const tasks = taskSettings(props, t);
  return (
    <>
      {seen.foundProblem === null ? null : (
        <Alert component="p" isInline variant="danger" title={t("sys.foundProblem")}>
          <p>{seen.foundProblem}</p>
        </Alert>
      )}
      {seen.booting ? <Alert component="p" isInline variant="info" title={t("sys.booting")} /> : null}
      <RestartWanted reasons={seen.restart ?? []} />
      <Differences differences={differences.filter(({ path }) => !PLACED.test(path))} />
      <section>
        <h2 className="hf-small-title">{t("sys.facts")}</h2>
        <SettingTable caption={t("sys.facts")} settings={factSettings(props, t)} />
      </section>
      <People {...props} />
      <section>
        <h2 className="hf-small-title">{t("sys.sshd")}</h2>
        {seen.sshdProblem === null ? null : (
          <p className="hf-quiet">{t("sys.sshd.silent", { why: seen.sshdProblem })}</p>
        )}
        <Differences differences={differencesAt(differences, "ssh")} />
        <SettingTable caption={t("sys.sshd")} settings={ssh} />
      </section>
      <section>
        <h2 className="hf-small-title">{t("sys.sysctl")}</h2>
        {sysctl.length === 0 ? (
          <p className="hf-quiet">{t("sys.sysctl.none")}</p>
        ) : (
          <SettingTable caption={t("sys.sysctl")} settings={sysctl} />
        )}
        <SysctlSearch seen={seen} />
      </section>
      <section>
        <h2 className="hf-small-title">{t("sys.units")}</h2>
        {units.length === 0 ? (
          <p className="hf-quiet">{t("sys.units.none")}</p>
        ) : (
          <SettingTable caption={t("sys.units")} settings={units} />
        )}
        <FailedUnits seen={seen} />
      </section>
      {tasks.length === 0 ? null : (
        <section>
          <h2 className="hf-small-title">{t("sys.tasks")}</h2>
          <SettingTable caption={t("sys.tasks")} settings={tasks} />
        </section>
      )}
    </>
  );
}

/** A server that waits to be restarted: what is tried on it now runs otherwise after that. */
function RestartWanted({ reasons }: { readonly reasons: NonNullable<SystemSeen["restart"]> }): ReactNode {
  const t = useT();
  if (reasons.length === 0) return null;
  const packages = reasons.flatMap((reason) => (reason.kind === "package" && reason.name !== "" ? [reason.name] : []));
  const kernel = reasons.find((reason) => reason.kind === "kernel");
  return (
    <Alert component="p" isInline variant="warning" title={t("sys.restart")}>
      {packages.length === 0 ? null : <p>{t("sys.restart.packages", { packages: packages.join(", ") })}</p>}
      {kernel === undefined ? null : <p>{t("sys.restart.kernel", { next: kernel.next, runs: kernel.runs })}</p>}
      <p>{t("sys.restart.meaning")}</p>
    </Alert>
  );
}

function listed(values: readonly string[] | undefined): string | undefined {
  return values === undefined ? undefined : values.join(", ");
}

function factSettings({ desired, seen, differences, provenance }: Props, t: Translate): readonly Setting[] {
  const keeper = timeKeeperOf(seen);
  const at = (...items: readonly string[]): Setting["differences"] =>
    items.flatMap((item) => differencesAt(differences, item));
  const origins = (item: string): Setting["origins"] => originsBelow(provenance, `system.${item}`);
  return [
    {
      key: "hostname",
      name: t("sys.hostname"),
      now: seen.hostname ?? t("live.unknown"),
      should: desired?.hostname,
      origins: origins("hostname"),
      differences: at("hostname", "file:/etc/hostname"),
    },
    {
      key: "timezone",
      name: t("sys.timezone"),
      now: timezoneOf(seen) ?? t("live.unknown"),
      should: desired?.timezone,
      origins: origins("timezone"),
      differences: at("timezone", "file:/etc/timezone"),
    },
    {
      key: "ntp",
      name: t("sys.time"),
      now:
        keeper === null
          ? t("sys.time.nobody")
          : t(keeper.active === "active" ? "sys.time.runs" : "sys.time.idle", { unit: keeper.unit }),
      should: listed(desired?.ntp?.servers),
      origins: origins("ntp"),
      differences: at("ntp", "chrony"),
    },
    {
      key: "resolver",
      name: t("sys.resolver"),
      now: nameServersOf(seen).join(", ") || t("sys.resolver.elsewhere"),
      should: listed(desired?.resolver?.servers),
      origins: origins("resolver"),
      differences: at("resolver", "file:/etc/resolv.conf"),
    },
    {
      key: "logs",
      name: t("sys.logs"),
      now: seen.units?.["rsyslog.service"]?.active === "active" ? t("sys.logs.runs") : t("sys.logs.idle"),
      should: listed(desired?.logs?.to.map(({ host, port, by }) => `${host}:${port} (${by})`)),
      origins: origins("logs"),
      differences: at("logs"),
    },
    {
      key: "updates",
      name: t("sys.updates"),
      now: updatesWords(seen, t),
      should: updatesWish(desired?.updates, t),
      origins: origins("updates"),
      differences: at("updates:apt", "updates:timer"),
    },
    {
      key: "proxy",
      name: t("sys.proxy"),
      now: proxyNow(seen, t),
      should: proxyWish(desired?.proxy, t),
      origins: origins("proxy"),
      differences: at("file:/etc/apt/apt.conf.d/95-holdfast-proxy.conf"),
    },
    {
      key: "limits",
      name: t("sys.limits"),
      now: limitsNow(seen) ?? t("live.unknown"),
      should: limitsWish(desired?.limits),
      origins: origins("limits"),
      differences: at("limits"),
    },
    {
      key: "passwords",
      name: t("sys.passwords"),
      now: passwordsNow(seen, t),
      should: passwordsWish(desired?.passwords, t),
      origins: origins("passwords"),
      differences: at(
        "file:/etc/security/pwquality.conf.d/95-holdfast.conf",
        "file:/etc/security/faillock.conf",
        "login:PASS_MAX_DAYS",
        "login:PASS_MIN_DAYS",
        "login:PASS_WARN_AGE",
      ),
    },
    {
      key: "restart",
      name: t("sys.restart.name"),
      now: t(
        seen.restart === undefined ? "live.unknown" : seen.restart.length === 0 ? "sys.restart.no" : "sys.restart.yes",
      ),
      should: undefined,
      origins: [],
      differences: [],
    },
    {
      key: "listening",
      name: t("sys.listening"),
      now: <span className="hf-number">{seen.listening.join(", ") || "—"}</span>,
      should: undefined,
      origins: [],
      differences: [],
    },
  ];
}

/** Lines of others and ours; null: an agent that is older than the question. */
function limitsNow(seen: SystemSeen): ReactNode {
  const entry = seen.entries["/etc/security/limits.d/95-holdfast.conf"];
  if (seen.limitLines === undefined || entry === undefined) return null;
  const ours =
    entry.type === "file" ? entry.text.split("\n").filter((line) => line !== "" && !line.startsWith("#")) : [];
  const others = seen.limitLines.map(
    ({ path, line, domain, item, value }) => `${domain} ${item} ${value} (${path}:${line})`,
  );
  const all = [...ours, ...others];
  return all.length === 0 ? "—" : all.map((line) => <div key={line}>{line}</div>);
}

const LIMITS = ["nofile", "nproc", "memlock", "core"] as const;

function limitsWish(limits: SystemConfig["limits"]): string | undefined {
  if (limits === undefined) return undefined;
  return Object.entries(limits)
    .map(([who, items]) => {
      const each = LIMITS.flatMap((item) => {
        const limit = items[item];
        if (limit === undefined) return [];
        return limit.soft === limit.hard ? `${item} ${limit.soft}` : `${item} ${limit.soft}–${limit.hard}`;
      });
      return `${who}: ${each.join(", ")}`;
    })
    .join(" · ");
}

function proxyNow({ aptProxies }: SystemSeen, t: Translate): string {
  if (aptProxies === undefined || aptProxies === null) return t("live.unknown");
  const { http, https } = aptProxies;
  const ways = Object.entries({ http, https }).flatMap(([scheme, way]) => (way === null ? [] : [`${scheme}: ${way}`]));
  return ways.join(" · ") || t("sys.proxy.none");
}

function proxyWish(proxy: SystemConfig["proxy"], t: Translate): string | undefined {
  if (proxy === undefined) return undefined;
  const { http, https, direct } = proxy;
  return [
    ...Object.entries({ http, https }).flatMap(([scheme, way]) => (way === undefined ? [] : [`${scheme}: ${way}`])),
    ...(direct === undefined ? [] : [t("sys.proxy.direct", { hosts: direct.join(", ") })]),
  ].join(" · ");
}

/** By the words of the files themselves; an agent that is older than the question says nothing. */
function passwordsNow(seen: SystemSeen, t: Translate): ReactNode {
  if (seen.qualityLines === undefined) return t("live.unknown");
  const lock = seen.entries["/etc/security/faillock.conf"];
  const lines = [
    ...seen.qualityLines.map(({ key, value }) => `${key} ${value}`.trim()),
    ...Object.values(seen.loginLines ?? {}).flatMap((stated) => stated.map((line) => line.trim().replace(/\s+/, " "))),
    ...(lock?.type === "file" ? lock.text.split("\n").map((line) => line.replace(/#.*/, "").trim()) : []),
  ].filter((line) => line !== "");
  return lines.length === 0 ? "—" : lines.map((line, index) => <div key={`${index} ${line}`}>{line}</div>);
}

const QUALITY = ["length", "classes", "digits", "upper", "lower", "others", "differ", "repeat"] as const;
const QUALITY_WORDS = ["dictionary", "name", "root"] as const;

function passwordsWish(passwords: SystemConfig["passwords"], t: Translate): ReactNode {
  if (passwords === undefined) return undefined;
  const { quality, age, lockout } = passwords;
  const numbers = QUALITY.flatMap((one) => (quality?.[one] === undefined ? [] : [`${one} ${quality[one]}`]));
  const words = QUALITY_WORDS.flatMap((one) => (quality?.[one] === true ? [one] : []));
  const lines = [
    [...numbers, ...words].join(", "),
    age?.most === undefined ? "" : t("sys.passwords.most", { days: age.most }),
    lockout?.after === undefined ? "" : t("sys.passwords.after", { count: lockout.after }),
    lockout?.for === undefined
      ? ""
      : lockout.for === "never"
        ? t("sys.passwords.never")
        : t("sys.passwords.for", { minutes: Math.round(lockout.for / 60) }),
  ].filter((line) => line !== "");
  return lines.map((line) => <div key={line}>{line}</div>);
}

function updatesWords(seen: SystemSeen, t: Translate): string {
  const now = updatesNow(seen);
  if (now === null) return t("live.unknown");
  if (!now.installs) return t("sys.updates.none");
  return [
    now.next === "" ? t("sys.updates.idle") : t("sys.updates.next", { next: now.next }),
    ...(now.restarts ? [t("sys.updates.restarts")] : []),
  ].join(" · ");
}

const INSTALLS = {
  none: "sys.updates.none",
  security: "sys.updates.security",
  all: "sys.updates.all",
} as const satisfies Record<string, Parameters<Translate>[0]>;

function updatesWish(updates: SystemConfig["updates"], t: Translate): string | undefined {
  if (updates === undefined) return undefined;
  const { install, window, restart } = updates;
  return [
    ...(install === undefined ? [] : [t(INSTALLS[install])]),
    ...(window === undefined
      ? []
      : [t("sys.updates.window", { from: window.from, minutes: Math.round(window.within / 60) })]),
    ...(restart === undefined
      ? []
      : [restart === "never" ? t("sys.updates.noRestart") : t("sys.updates.restartAt", { time: restart })]),
  ].join(" · ");
}

function sshSettings({ desired, seen, provenance }: Props): readonly Setting[] {
  return sshRows(desired?.ssh, seen).map(({ setting, now, should }) => ({
    key: setting,
    name: <code>{setting}</code>,
    now: now ?? "—",
    should: should ?? undefined,
    origins: should === null ? [] : [originOf(provenance, `system.ssh.${setting}`)],
    differences: [],
  }));
}

function sysctlSettings({ desired, seen, differences, provenance }: Props, t: Translate): readonly Setting[] {
  return Object.entries(desired?.sysctl ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({
      key,
      name: <code>{key}</code>,
      now: <span className="hf-number">{seen.sysctl[key] ?? t("sys.sysctl.unknown")}</span>,
      should: <span className="hf-number">{value}</span>,
      origins: [originOf(provenance, `system.sysctl.${key}`)],
      differences: differencesAt(differences, `sysctl:${key}`),
    }));
}

function unitSettings({ desired, seen, differences, provenance }: Props, t: Translate): readonly Setting[] {
  return Object.entries(desired?.units ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { enabled, running }]) => {
      const unit = seen.units?.[name];
      return {
        key: name,
        name: <code>{name}</code>,
        now: unit === undefined ? t("sys.unit.unknown") : `${unit.active} · ${unit.file === "" ? "—" : unit.file}`,
        should: [
          running === undefined ? null : t(running ? "sys.unit.running" : "sys.unit.stopped"),
          enabled === undefined ? null : t(enabled ? "sys.unit.enabled" : "sys.unit.disabled"),
        ]
          .filter((word) => word !== null)
          .join(" · "),
        origins: [originOf(provenance, `system.units.${name}`)],
        differences: differencesAt(differences, `unit:${name}`),
      };
    });
}

function taskSettings({ desired, seen, differences, provenance }: Props, t: Translate): readonly Setting[] {
  return taskRows(desired, seen).map(({ name, now, run, desired: wanted }) => ({
    key: name,
    name: <code>{name}</code>,
    now:
      now === null ? (
        t("sys.task.none")
      ) : (
        <>
          <div>{now.next === "" ? t("sys.task.idle") : t("sys.task.next", { next: now.next })}</div>
          <div>{now.last === "" ? t("sys.task.never") : t("sys.task.last", { last: now.last })}</div>
          {run === null ? null : (
            <Label isCompact color={run.result === "success" ? "green" : "red"}>
              {run.result === "success"
                ? t("sys.task.success")
                : t("sys.task.failed", { result: run.result, status: run.status })}
            </Label>
          )}
        </>
      ),
    should:
      wanted === null ? undefined : (
        <>
          <div>
            <code>{wanted.unit}</code>
          </div>
          <div>{taskWish(wanted, t)}</div>
        </>
      ),
    origins: [originOf(provenance, `system.tasks.${name}`)],
    differences: differencesAt(differences, `task:${name}`),
  }));
}

function taskWish({ at, jitter, persistent }: NonNullable<SystemConfig["tasks"]>[string], t: Translate): string {
  return [
    at,
    ...(jitter === undefined ? [] : [t("sys.task.jitter", { minutes: Math.round(jitter / 6) / 10 })]),
    ...(persistent === true ? [t("sys.task.persistent")] : []),
  ].join(" · ");
}

function FailedUnits({ seen }: { readonly seen: SystemSeen }): ReactNode {
  const t = useT();
  const failed = Object.entries(seen.units ?? {}).filter(([, unit]) => unit.active === "failed");
  if (seen.units === null) return <p className="hf-quiet">{t("sys.units.noSystemd")}</p>;
  if (failed.length === 0) return null;
  return (
    <p>
      <Label isCompact color="red">
        {t("sys.units.failed", { count: failed.length })}
      </Label>{" "}
      <code>{failed.map(([name]) => name).join(", ")}</code>
    </p>
  );
}

/** More than a person reads at once. */
const MOST_FOUND = 40;

/** Every kernel setting of the server, found by a part of its name: with who sets it at boot. */
function SysctlSearch({ seen }: { readonly seen: SystemSeen }): ReactNode {
  const t = useT();
  const [typed, setTyped] = useState("");
  const found = typed.trim() === "" ? [] : Object.entries(seen.sysctl).filter(([key]) => key.includes(typed.trim()));
  return (
    <details>
      <summary>{t("sys.sysctl.all", { count: Object.keys(seen.sysctl).length })}</summary>
      <div className="hf-stack">
        <input
          className="hf-cell hf-search"
          aria-label={t("sys.sysctl.search")}
          placeholder={t("sys.sysctl.search")}
          value={typed}
          spellCheck={false}
          onChange={(event) => setTyped(event.target.value)}
        />
        {found.length === 0 ? null : (
          <table className="hf-table">
            <caption className="hf-sr">{t("sys.sysctl")}</caption>
            <TableHead columns={["live.setting", "live.now", "sys.sysctl.setBy"]} />
            <tbody>
              {found.slice(0, MOST_FOUND).map(([key, value]) => (
                <tr key={key}>
                  <td data-label={t("live.setting")}>
                    <code>{key}</code>
                  </td>
                  <td data-label={t("live.now")} className="hf-number">
                    {value}
                  </td>
                  <td data-label={t("sys.sysctl.setBy")}>
                    <code>{setterOf(seen, key) ?? "—"}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {found.length > MOST_FOUND ? (
          <p className="hf-quiet">{t("live.moreEntries", { count: found.length - MOST_FOUND })}</p>
        ) : null}
      </div>
    </details>
  );
}
