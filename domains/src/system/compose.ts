import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Composed, ComposeInput, LayeredSection } from "@holdfast/core/compose/layered-section.ts";
import { namedMerge } from "@holdfast/core/compose/named-merge.ts";
import { scalarMerge } from "@holdfast/core/compose/scalar-merge.ts";
import { formatAddress, parseAddress } from "@holdfast/core/net/address.ts";
import { parseDuration } from "@holdfast/core/policy/duration.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import { systemRequirements } from "./capability.ts";
import { certificateText } from "./certificate.ts";
import { parseDay } from "./day.ts";
import { kernelOf } from "./kernel.ts";
import type { SshConfig, SystemConfig, UserConfig } from "./model.ts";
import { type Notes, within } from "./notes.ts";
import {
  parseDays,
  parseFailWindow,
  parseJitter,
  parseLockTime,
  parseWindowLength,
  type SshSection,
  type SystemSection,
} from "./section.ts";
import { sysctlValue } from "./sysctl-catalogue.ts";
import type { TaskConfig } from "./task-text.ts";
import { usesOf } from "./uses.ts";

type Layer = LayeredSection<SystemSection>;

/** Maps that merge name by name, and from which `without` takes names out. */
const MAPS = ["sysctl", "hosts", "units", "users", "authorities", "tasks", "limits"] as const;
type MapName = (typeof MAPS)[number];

/** All layers that reach one server become its system config. Each setting merges alone: the narrower layer wins. */
export function composeSystem(input: ComposeInput<SystemSection>): Composed<SystemConfig> {
  const notes: Notes = { findings: [], provenance: [] };
  const { layers } = input;
  if (layers.length === 0) return { config: null, ...notes, needs: [] };
  const scalar = <Value extends Json>(
    path: string,
    pick: (section: SystemSection) => Value | undefined,
  ): Value | undefined => narrowest(layers, path, pick, notes);
  const part = <Part extends object>(stated: Part, exists: (section: SystemSection) => boolean): Part | undefined =>
    layers.some(({ section }) => exists(section)) ? stated : undefined;

  const hosts = mapOf(layers, "hosts", (section) => section.hosts, notes);
  const sysctl = mapOf(layers, "sysctl", (section) => section.sysctl, notes);
  const units = mapOf(layers, "units", (section) => section.units, notes);
  const logs = scalar("logs.to", (section) => section.logs?.to);
  const tls = scalar("logs.tls", (section) => tlsOf(section));
  const users = mapOf(layers, "users", (section) => section.users, notes);
  const authorities = mapOf(layers, "authorities", (section) => section.authorities, notes);
  const tasks = mapOf(layers, "tasks", (section) => section.tasks, notes);
  const limits = mapOf(layers, "limits", (section) => section.limits, notes);
  const config: SystemConfig = defined({
    hostname: scalar("hostname", (section) => section.hostname),
    timezone: scalar("timezone", (section) => section.timezone),
    hosts: hosts === undefined ? undefined : mapped(hosts, (_, addresses) => distinct(addresses.map(canonicalAddress))),
    banners: part(
      defined({
        motd: scalar("banners.motd", (section) => section.banners?.motd),
        issue: scalar("banners.issue", (section) => section.banners?.issue),
        issueNet: scalar("banners.issueNet", (section) => section.banners?.issueNet),
      }),
      (section) => section.banners !== undefined,
    ),
    sysctl: sysctl === undefined ? undefined : mapped(sysctl, (key, value) => checked(sysctlValue(key, value))),
    ssh: part(composeSsh(scalar), (section) => section.ssh !== undefined),
    ntp: part(
      defined({
        servers: scalar("ntp.servers", (section) => section.ntp?.servers),
        fallback: scalar("ntp.fallback", (section) => section.ntp?.fallback),
      }),
      (section) => section.ntp !== undefined,
    ),
    resolver: part(
      defined({
        servers: scalar("resolver.servers", (section) => section.resolver?.servers?.map(canonicalAddress)),
        search: scalar("resolver.search", (section) => section.resolver?.search),
      }),
      (section) => section.resolver !== undefined,
    ),
    units: units === undefined ? undefined : mapped(units, (_, unit) => defined(unit)),
    users: users === undefined ? undefined : mapped(users, (_, user) => composeUser(user)),
    modules: part(
      defined({
        load: scalar("modules.load", (section) => section.modules?.load),
        block: scalar("modules.block", (section) => section.modules?.block),
      }),
      (section) => section.modules !== undefined,
    ),
    logs: logs === undefined ? undefined : defined({ to: logs, tls }),
    authorities: authorities === undefined ? undefined : mapped(authorities, (_, text) => certificateText(text)),
    updates: part(
      defined({
        install: scalar("updates.install", (section) => section.updates?.install),
        window: scalar("updates.window", (section) => windowOf(section)),
        restart: scalar("updates.restart", (section) => section.updates?.restart),
      }),
      (section) => section.updates !== undefined,
    ),
    tasks: tasks === undefined ? undefined : mapped(tasks, (_, task) => composeTask(task)),
    limits: limits === undefined ? undefined : mapped(limits, (_, one) => defined(one)),
    proxy: scalar("proxy", ({ proxy }) => proxyOf(proxy)),
    passwords: part(composePasswords(scalar), (section) => section.passwords !== undefined),
  });
  const isBroken = notes.findings.some((one) => one.severity === "error");
  if (isBroken) return { config: null, ...notes, needs: [] };
  return {
    config,
    ...notes,
    needs: [],
    requires: systemRequirements(config),
    uses: usesOf(config),
    kernel: kernelOf(config),
    called: config.hostname === undefined ? [] : [config.hostname],
  };
}

type Scalar = <Value extends Json>(
  path: string,
  pick: (section: SystemSection) => Value | undefined,
) => Value | undefined;

function composeSsh(scalar: Scalar): SshConfig {
  const own = <Key extends keyof SshSection>(key: Key): SshSection[Key] =>
    // A setting of a section is plain JSON; what is absent stays undefined.
    scalar(`ssh.${key}`, (section) => section.ssh?.[key] as Json | undefined) as SshSection[Key];
  const [grace, idle] = [own("loginGrace"), own("idle")];
  return defined({
    port: own("port")?.toSorted((a, b) => a - b),
    listen: own("listen")?.map(canonicalAddress),
    rootLogin: own("rootLogin"),
    keys: own("keys"),
    passwords: own("passwords"),
    allowUsers: own("allowUsers"),
    allowGroups: own("allowGroups"),
    denyUsers: own("denyUsers"),
    denyGroups: own("denyGroups"),
    keyExchange: own("keyExchange"),
    ciphers: own("ciphers"),
    macs: own("macs"),
    maxTries: own("maxTries"),
    maxSessions: own("maxSessions"),
    loginGrace: grace === undefined ? undefined : checked(parseDuration(grace)),
    idle: idle === undefined ? undefined : { every: checked(parseDuration(idle.every)), misses: idle.misses },
    tcpForwarding: own("tcpForwarding"),
    agentForwarding: own("agentForwarding"),
    x11Forwarding: own("x11Forwarding"),
    banner: own("banner"),
    log: own("log"),
  });
}

/** One way out is one thing: a narrower layer says all of it. */
function proxyOf(proxy: SystemSection["proxy"]): SystemConfig["proxy"] {
  if (proxy === undefined) return undefined;
  const { http, https, direct } = proxy;
  return defined({
    for: distinct(proxy.for) as typeof proxy.for,
    http,
    https,
    direct: direct === undefined ? undefined : distinct(direct),
  });
}

function composePasswords(scalar: Scalar): NonNullable<SystemConfig["passwords"]> {
  const quality = <Key extends keyof QualitySection>(key: Key): QualitySection[Key] =>
    scalar(
      `passwords.quality.${key}`,
      ({ passwords }) => passwords?.quality?.[key] as Json | undefined,
    ) as QualitySection[Key];
  const age = (key: keyof AgeSection): number | undefined => {
    const text = scalar(`passwords.age.${key}`, ({ passwords }) => passwords?.age?.[key]);
    return text === undefined ? undefined : checked(parseDays(key, text));
  };
  const [within, length] = [
    scalar("passwords.lockout.within", ({ passwords }) => passwords?.lockout?.within),
    scalar("passwords.lockout.for", ({ passwords }) => passwords?.lockout?.for),
  ];
  return defined({
    quality: some({
      length: quality("length"),
      classes: quality("classes"),
      digits: quality("digits"),
      upper: quality("upper"),
      lower: quality("lower"),
      others: quality("others"),
      differ: quality("differ"),
      repeat: quality("repeat"),
      dictionary: quality("dictionary"),
      name: quality("name"),
      root: quality("root"),
    }),
    age: some({ most: age("most"), least: age("least"), warn: age("warn") }),
    lockout: some({
      after: scalar("passwords.lockout.after", ({ passwords }) => passwords?.lockout?.after),
      within: within === undefined ? undefined : checked(parseFailWindow(within)),
      for: length === undefined ? undefined : checked(parseLockTime(length)),
      root: scalar("passwords.lockout.root", ({ passwords }) => passwords?.lockout?.root),
    }),
  });
}

type PasswordsSection = NonNullable<SystemSection["passwords"]>;
type QualitySection = NonNullable<PasswordsSection["quality"]>;
type AgeSection = NonNullable<PasswordsSection["age"]>;

/** Undefined where nothing of it is stated. */
function some<Shape extends object>(
  stated: Shape,
): { [Key in keyof Shape]: Exclude<Shape[Key], undefined> } | undefined {
  const known = defined(stated);
  return Object.keys(known).length === 0 ? undefined : known;
}

function tlsOf({ logs }: SystemSection): NonNullable<SystemConfig["logs"]>["tls"] {
  if (logs?.tls === undefined) return undefined;
  const { authority, certificate, key } = logs.tls;
  return defined({ authority: certificateText(authority), certificate, key });
}

function windowOf({ updates }: SystemSection): NonNullable<SystemConfig["updates"]>["window"] {
  if (updates?.window === undefined) return undefined;
  const { from, within: length } = updates.window;
  return { from, within: checked(parseWindowLength(length)) };
}

type TaskSection = NonNullable<SystemSection["tasks"]>[string];

function composeTask({ unit, at, jitter, persistent }: TaskSection): TaskConfig {
  return defined({ unit, at, jitter: jitter === undefined ? undefined : checked(parseJitter(jitter)), persistent });
}

type UserSection = NonNullable<SystemSection["users"]>[string];

function composeUser(user: UserSection): UserConfig {
  if (user.state === "absent") return { state: "absent" };
  const { comment, shell, groups, keys, sudo, until } = user;
  return defined({
    state: "present",
    comment,
    shell,
    groups: groups === undefined ? undefined : distinct(groups).toSorted(),
    keys: keys === undefined ? undefined : distinct(keys),
    sudo,
    until: until === undefined ? undefined : checked(parseDay(until)),
  });
}

function narrowest<Value extends Json>(
  layers: readonly Layer[],
  path: string,
  pick: (section: SystemSection) => Value | undefined,
  notes: Notes,
): Value | undefined {
  const stated = layers.flatMap(({ origin, section }) => {
    const value = pick(section);
    return value === undefined ? [] : [{ value, origin: within(origin, `.${path}`) }];
  });
  const merged = scalarMerge(`system.${path}`, stated);
  notes.findings.push(...merged.findings);
  notes.provenance.push(...merged.provenance);
  return merged.value;
}

/** Undefined: no layer has the map at all, so it is not ours; an empty one is ours and empty. */
function mapOf<Value extends Json>(
  layers: readonly Layer[],
  name: MapName,
  pick: (section: SystemSection) => Readonly<Record<string, Value>> | undefined,
  notes: Notes,
): Readonly<Record<string, Value>> | undefined {
  if (layers.every(({ section }) => pick(section) === undefined && section.without?.[name] === undefined))
    return undefined;
  const pathOf = (key: string): string => formatPath(["x", key]).slice(1);
  const merged = namedMerge<Value>(
    `system.${name}`,
    layers.map(({ origin, section }) => ({
      origin,
      items: Object.entries(pick(section) ?? {}).map(([key, value]) => ({
        name: key,
        value,
        origin: within(origin, `.${name}${pathOf(key)}`),
      })),
      without: (section.without?.[name] ?? []).map((one, index) => ({
        ...one,
        origin: within(origin, `.without.${name}[${index}]`),
      })),
    })),
    "wide_first",
  );
  notes.findings.push(...merged.findings);
  notes.provenance.push(...merged.provenance);
  return Object.fromEntries(merged.items.map(({ name: key, value }) => [key, value]));
}

function mapped<In, Out>(map: Readonly<Record<string, In>>, to: (key: string, value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, to(key, value)]));
}

/** Without the keys that nobody stated: a config is canonical JSON. */
function defined<Shape extends object>(stated: Shape): { [Key in keyof Shape]: Exclude<Shape[Key], undefined> } {
  return Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Shape]: Exclude<Shape[Key], undefined>;
  };
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

function canonicalAddress(text: string): string {
  return formatAddress(checked(parseAddress(text)));
}

/** The section's schema has checked every text. */
function checked<Value>(
  result: { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: string },
): Value {
  if (!result.ok) throw new Error(`a section that was not checked: ${result.error}`);
  return result.value;
}
