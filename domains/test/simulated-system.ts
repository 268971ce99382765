import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Account, Entry, RawFact, RawFacts } from "@holdfast/core/domain.ts";
import type { Action, Step } from "@holdfast/core/plan/step.ts";
import { UPDATES_FILE } from "../src/system/apt-text.ts";
import { AUTHORITY_FOLDER, authorityPath } from "../src/system/certificate.ts";
import { ENTRIES, observeSystem, type SystemObserved } from "../src/system/facts.ts";
import { FAILLOCK_FILE } from "../src/system/faillock-text.ts";
import { withoutHostsBlock } from "../src/system/hosts-block.ts";
import { LOAD_FILE } from "../src/system/kernel-module.ts";
import { RSYSLOG_FILE } from "../src/system/log-text.ts";
import { LOGIN_DEFS, LOGIN_KEYS, withLoginLine } from "../src/system/login-defs.ts";
import { PROXY_FILE } from "../src/system/proxy-text.ts";
import { QUALITY_FOLDER } from "../src/system/quality-text.ts";
import { KERNEL_LINKS } from "../src/system/restart.ts";
import { KEY_FOLDER } from "../src/system/ssh-key.ts";
import { SSHD_DROP_IN } from "../src/system/sshd-text.ts";
import { SUDO_FILE } from "../src/system/sudo-text.ts";
import { parseTaskText, taskOf, taskPath, taskTimer, TASKS_FOLDER } from "../src/system/task-text.ts";
import { UPDATES_TIMER, UPDATES_TIMER_FILE } from "../src/system/timer-text.ts";

/**
 * A server of plain values: it takes the steps of the system domain as the agent's hands do, and answers the same questions. With it whole
 * policies are applied, read back and undone without a machine; that the hands do the same on a real one, the kernel tests hold.
 */
export interface SimulatedUnit {
  readonly active: boolean;
  /** Null: a unit without a file to enable. */
  readonly enabled: boolean | null;
  readonly neededBy?: readonly string[];
}

/** How a server differs from the plain one. */
export interface ServerChanges {
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly units?: Readonly<Record<string, SimulatedUnit>>;
  readonly entries?: Readonly<Record<string, Entry>>;
  readonly folders?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What a server of Debian has before anything is ours. */
export class SimulatedSystem {
  readonly sysctl = new Map<string, string>([
    ["fs.nr_open", "1048576"],
    ["kernel.dmesg_restrict", "0"],
    ["net.core.somaxconn", "4096"],
    ["net.ipv4.conf.all.accept_redirects", "1"],
    ["net.ipv4.conf.all.forwarding", "0"],
    ["net.ipv4.conf.all.rp_filter", "0"],
    ["net.ipv4.conf.default.rp_filter", "0"],
    ["net.ipv4.conf.eth0.rp_filter", "0"],
    ["net.ipv4.ip_forward", "0"],
    ["net.ipv4.tcp_congestion_control", "cubic"],
    ["net.ipv4.tcp_rmem", "4096 131072 6291456"],
    ["net.ipv6.conf.all.disable_ipv6", "0"],
    ["vm.swappiness", "60"],
  ]);
  readonly entries = new Map<string, Entry>([
    ["/etc/hostname", file("web\n")],
    ["/etc/hosts", file("127.0.0.1 localhost\n127.0.1.1 web\n10.0.0.9 old.internal\n")],
    ["/etc/issue", file("Debian GNU/Linux 12 \\n \\l\n")],
    ["/etc/localtime", { type: "link", target: "/usr/share/zoneinfo/Etc/UTC" }],
    ["/etc/motd", file("")],
    [FAILLOCK_FILE, file("# others\nsilent\ndeny = 9\n")],
    ["/etc/resolv.conf", { type: "link", target: "../run/systemd/resolve/stub-resolv.conf" }],
    ["/etc/timezone", file("Etc/UTC\n")],
  ]);
  readonly units = new Map<string, SimulatedUnit>([
    ["ssh.service", { active: true, enabled: true }],
    ["systemd-timesyncd.service", { active: true, enabled: true }],
    ["systemd-resolved.service", { active: true, enabled: true }],
    ["fail2ban.service", { active: false, enabled: false }],
    ["rsyslog.service", { active: true, enabled: true }],
    ["cron.service", { active: true, enabled: true }],
    ["docker.service", { active: true, enabled: true, neededBy: ["app.service"] }],
    ["app.service", { active: true, enabled: true }],
    ["logrotate.service", { active: false, enabled: null }],
    ["report.service", { active: false, enabled: null }],
    ["tidy.service", { active: false, enabled: null }],
    [UPDATES_TIMER, { active: true, enabled: true }],
  ]);
  readonly folders = new Map<string, Readonly<Record<string, string>>>([
    ["/usr/lib/sysctl.d", { "50-default.conf": "net.core.somaxconn = 128\n-net.ipv4.conf.*.rp_filter = 2\n" }],
  ]);
  logDrivers = "/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_ossl.so\n";
  hasUnattendedUpgrades = true;
  loginDefs = "# others\nPASS_MAX_DAYS\t99999\nPASS_MIN_DAYS\t0\nUID_MIN\t1000\n";
  dictionaries = "/var/cache/cracklib/cracklib_dict.pwd\n";
  /** Other files, by the name of the fact. */
  texts: Readonly<Record<string, string>> = {
    "pam sshd": "@include common-auth\nsession    required     pam_limits.so\n",
    "pam common-auth":
      "auth required pam_faillock.so preauth\nauth [success=1 default=ignore] pam_unix.so\nauth [default=die] pam_faillock.so authfail\n",
    "pam passwd": "@include common-password\n",
    "pam common-password":
      "password requisite pam_pwquality.so retry=3\npassword [success=1] pam_unix.so use_authtok\n",
  };
  accounts: readonly Account[] = [
    { ...person("root", 0, []), password: "locked" },
    { ...person("kim", 1000, ["ops"]), keys: 1 },
    { ...person("lee", 1001, []), password: "set" },
  ];
  groups: readonly string[] = ["root", "kim", "lee", "ops", "sudo"];
  modules: readonly string[] = ["nf_tables"];
  /** Homes below /home; they are made and never removed. */
  readonly homes = new Set<string>(["kim", "lee"]);
  /** What `sshd -T` says without our file; null: no sshd. */
  sshd: Readonly<Record<string, string>> | null = {
    port: "22",
    permitrootlogin: "without-password",
    pubkeyauthentication: "yes",
    passwordauthentication: "yes",
    kbdinteractiveauthentication: "no",
    authorizedkeysfile: ".ssh/authorized_keys .ssh/authorized_keys2",
    authorizedkeyscommand: "none",
    trustedusercakeys: "none",
    maxauthtries: "6",
  };
  hostname = "web";
  today = 20_780;
  chronyConf = "";
  nsswitch = "passwd: files systemd\n";
  listening: readonly number[] = [22, 8080];
  booted: "running" | "starting" = "running";

  change(changes: ServerChanges): void {
    for (const [key, value] of Object.entries(changes.sysctl ?? {})) this.sysctl.set(key, value);
    for (const [name, unit] of Object.entries(changes.units ?? {})) this.units.set(name, unit);
    for (const [path, entry] of Object.entries(changes.entries ?? {})) this.entries.set(path, entry);
    for (const [path, files] of Object.entries(changes.folders ?? {})) this.folders.set(path, files);
  }

  observe(): SystemObserved {
    return observeSystem(this.facts());
  }

  /** Through text, as the agent answers. */
  facts(): RawFacts {
    const entries = [...ENTRIES, ...KERNEL_LINKS].map((path): [string, RawFact] => [
      path,
      said(JSON.stringify(this.entries.get(path) ?? { type: "absent" })),
    ]);
    const folders = [...this.folders].map(([path, files]): [string, RawFact] => [path, said(JSON.stringify(files))]);
    return {
      ...Object.fromEntries(entries),
      ...Object.fromEntries(folders),
      ...Object.fromEntries(Object.entries(this.texts).map(([name, text]) => [name, said(text)])),
      sysctl: said(JSON.stringify(Object.fromEntries(this.sysctl))),
      hostname: said(`${this.hostname}\n`),
      group: said(this.groups.map((name) => `${name}:x:100:\n`).join("")),
      keys: said(JSON.stringify(this.#filesIn(KEY_FOLDER))),
      authorities: said(JSON.stringify(this.#filesIn(AUTHORITY_FOLDER))),
      trusted: said(Object.values(this.#filesIn(AUTHORITY_FOLDER)).join("")),
      modules: said(JSON.stringify(this.modules)),
      accounts: said(JSON.stringify(this.accounts)),
      clock: said(`${this.today * 86_400 + 3_600}\n`),
      chrony: said(this.chronyConf),
      "log drivers": said(this.logDrivers),
      apt: said(`${this.#textOf(UPDATES_FILE)}${this.#textOf(PROXY_FILE)}`.replaceAll(/^(?:\/\/|#).*\n/gm, "")),
      "unattended-upgrades": { status: this.hasUnattendedUpgrades ? 0 : 1, stdout: "", stderr: "" },
      [TASKS_FOLDER]: said(JSON.stringify(this.#filesIn(TASKS_FOLDER))),
      timers: said(this.#timersText()),
      [QUALITY_FOLDER]: said(JSON.stringify({ ...this.folders.get(QUALITY_FOLDER), ...this.#filesIn(QUALITY_FOLDER) })),
      dictionaries: said(this.dictionaries),
      [LOGIN_DEFS]: said(this.loginDefs),
      nsswitch: said(this.nsswitch),
      sshd: this.#sshdFact(),
      tcp4: said(this.#listeningText()),
      booted: said(`${this.booted}\n`),
      units: said(this.#unitsText()),
      "unit files": said(
        [...this.units].map(([name, unit]) => `${name} ${unit.enabled === true ? "enabled" : "disabled"}\n`).join(""),
      ),
    };
  }

  performAll(steps: readonly Step[]): void {
    for (const step of steps) this.#perform(step.action);
  }

  #perform(action: Action): void {
    switch (action.kind) {
      case "sysctl":
        if (!this.sysctl.has(action.key)) throw new Error(`no setting ${action.key}`);
        this.sysctl.set(action.key, action.value);
        // The kernel keeps both names of the one setting, and turns redirects off with forwarding.
        if (action.key === "net.ipv4.ip_forward") {
          this.sysctl.set("net.ipv4.conf.all.forwarding", action.value);
          this.sysctl.set("net.ipv4.conf.all.accept_redirects", action.value === "1" ? "0" : "1");
        }
        return;
      case "hostname":
        this.hostname = action.name;
        return;
      case "localtime":
        this.#put("/etc/localtime", action.target === null ? null : { type: "link", target: action.target });
        return;
      case "hosts_block": {
        const entry = this.entries.get("/etc/hosts");
        const rest = entry?.type === "file" ? withoutHostsBlock(entry.text) : "";
        this.#put("/etc/hosts", file((action.block ?? "") + rest));
        return;
      }
      case "login_setting": {
        const key = LOGIN_KEYS.find((one) => one === action.key);
        if (key !== undefined) this.loginDefs = withLoginLine(this.loginDefs, key, action.line);
        return;
      }
      case "write_file":
        this.#put(action.path, { type: "file", mode: action.mode, text: action.text });
        return;
      case "remove_file":
        this.#put(action.path, null);
        return;
      case "sshd":
        this.#put(SSHD_DROP_IN, action.text === null ? null : { type: "file", mode: 0o600, text: action.text });
        this.listening = [...new Set([8080, ...this.#ports()])];
        return;
      case "unit": {
        const unit = this.units.get(action.unit);
        if (unit === undefined) throw new Error(`no unit ${action.unit}`);
        const change: Partial<SimulatedUnit> =
          action.verb === "start"
            ? { active: true }
            : action.verb === "stop"
              ? { active: false }
              : action.verb === "enable"
                ? { enabled: true }
                : action.verb === "disable"
                  ? { enabled: false }
                  : {};
        this.units.set(action.unit, { ...unit, ...change });
        return;
      }
      case "group":
        this.groups = [...this.groups.filter((name) => name !== action.name), ...(action.exists ? [action.name] : [])];
        return;
      case "account":
        this.#changeAccount(action.name, action.want);
        return;
      case "home":
        this.homes.add(action.name);
        return;
      case "sudo":
        this.#put(SUDO_FILE, action.text === null ? null : { type: "file", mode: 0o440, text: action.text });
        return;
      case "rsyslog":
        this.#put(RSYSLOG_FILE, action.text === null ? null : file(action.text));
        return;
      case "timer":
        this.#put(action.path, action.text === null ? null : file(action.text));
        return;
      case "task": {
        const timer = taskTimer(action.name);
        this.#put(taskPath(action.name), action.text === null ? null : file(action.text));
        if (action.text === null) this.units.delete(timer);
        else this.units.set(timer, { active: action.runs, enabled: action.runs });
        return;
      }
      case "authority":
        this.#put(authorityPath(action.name), action.text === null ? null : file(action.text));
        return;
      case "modules": {
        this.#put(LOAD_FILE, action.text === null ? null : file(action.text));
        const names = action.text?.split("\n").filter((line) => line !== "" && !line.startsWith("#")) ?? [];
        this.modules = [...new Set([...this.modules, ...names])];
        return;
      }
      case "nft":
      case "ipsec":
      case "ipsec_boot_keys":
      case "networkd":
      case "link":
      case "ip_state":
        throw new Error(`a step of the system domain of the kind ${action.kind}`);
    }
  }

  #changeAccount(name: string, want: Extract<Action, { kind: "account" }>["want"]): void {
    const old = this.accounts.find((account) => account.name === name);
    const others = this.accounts.filter((account) => account.name !== name);
    if (want === null) {
      this.accounts = others;
      this.groups = this.groups.filter((group) => group !== name);
      return;
    }
    if (old === undefined && !want.make) throw new Error(`no account ${name}`);
    const { make: _, groups, ...parts } = want;
    for (const group of groups ?? [])
      if (!this.groups.includes(group)) throw new Error(`no group ${group} for ${name}`);
    if (old === undefined) this.groups = [...this.groups, name];
    const account = old ?? person(name, 1100 + this.accounts.length, []);
    const members = groups === undefined ? account.groups : [account.primary, ...groups];
    this.accounts = [...others, { ...account, ...parts, groups: members }];
  }

  #filesIn(folder: string): Readonly<Record<string, string>> {
    return Object.fromEntries(
      [...this.entries].flatMap(([path, entry]) =>
        path.startsWith(`${folder}/`) && entry.type === "file" ? [[path.slice(folder.length + 1), entry.text]] : [],
      ),
    );
  }

  #put(path: string, entry: Entry | null): void {
    if (entry === null) this.entries.delete(path);
    else this.entries.set(path, entry);
  }

  /** sshd takes the first value that it reads, and our file is read first; it prints what it takes in its own order. */
  #effective(): Readonly<Record<string, readonly string[]>> | null {
    if (this.sshd === null) return null;
    const entry = this.entries.get(SSHD_DROP_IN);
    const ours: Record<string, string[]> = {};
    for (const line of entry?.type === "file" ? entry.text.split("\n") : []) {
      const [keyword = "", ...values] = line.split(" ");
      if (keyword === "" || keyword === "#") continue;
      const text = values.join(" ").replace(/^prohibit-password$/, "without-password");
      (ours[keyword.toLowerCase()] ??= []).push(...(/^(Allow|Deny)(Users|Groups)$/.test(keyword) ? values : [text]));
    }
    const { listenaddress: addresses, ...rest } = ours;
    const listens =
      addresses === undefined
        ? {}
        : {
            listenaddress: (ours["port"] ?? []).flatMap((port) =>
              addresses.map((address) => `${address.includes(":") ? `[${address}]` : address}:${port}`),
            ),
          };
    const found = Object.entries(this.sshd).map(([keyword, value]): [string, string[]] => [keyword, [value]]);
    return { ...Object.fromEntries(found), ...rest, ...listens };
  }

  #ports(): readonly number[] {
    return (this.#effective()?.["port"] ?? []).map(Number);
  }

  #sshdFact(): RawFact {
    const effective = this.#effective();
    if (effective === null) return { status: 255, stdout: "", stderr: "spawn /usr/sbin/sshd ENOENT" };
    return said(
      Object.entries(effective)
        .flatMap(([keyword, values]) => values.map((value) => `${keyword} ${value}\n`))
        .join(""),
    );
  }

  #textOf(path: string): string {
    const entry = this.entries.get(path);
    return entry?.type === "file" ? entry.text : "";
  }

  #timersText(): string {
    const ours = this.#textOf(UPDATES_TIMER_FILE);
    const time = /^OnCalendar=(.+)$/m.exec(ours)?.[1] ?? "*-*-* 06:00:00";
    const minutes = Number(/^RandomizedDelaySec=(\d+)$/m.exec(ours)?.[1] ?? "3600") / 60;
    const due = "next_elapse=Fri 2026-11-27 06:00:00 UTC";
    const updates = `Id=${UPDATES_TIMER}\nUnit=apt-daily-upgrade.service\nTimersCalendar={ OnCalendar=${time} ; ${due} }\nRandomizedDelayUSec=${minutes}min\n`;
    const tasks = Object.entries(this.#filesIn(TASKS_FOLDER)).flatMap(([timer, text]) => {
      const said = parseTaskText(taskOf(timer) ?? "", text);
      if (!said.ok) return [];
      const { unit, calendar, jitter, persistent } = said.value;
      const next = this.units.get(timer)?.active === true ? "Fri 2026-11-27 06:00:00 UTC" : "";
      return `Id=${timer}\nUnit=${unit}\nTimersCalendar={ OnCalendar=${calendar} ; ${due} }\nRandomizedDelayUSec=${jitter}s\nNextElapseUSecRealtime=${next}\nPersistent=${persistent ? "yes" : "no"}\n`;
    });
    return [updates, ...tasks].join("\n");
  }

  #listeningText(): string {
    return this.listening
      .map(
        (port, index) => `   ${index}: 00000000:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A\n`,
      )
      .join("");
  }

  #unitsText(): string {
    return [...this.units]
      .map(([name, unit]) =>
        [
          `Id=${name}`,
          "LoadState=loaded",
          `ActiveState=${unit.active ? "active" : "inactive"}`,
          `UnitFileState=${unit.enabled === null ? "static" : unit.enabled ? "enabled" : "disabled"}`,
          `RequiredBy=${(unit.neededBy ?? []).join(" ")}`,
          "BoundBy=",
        ].join("\n"),
      )
      .join("\n\n");
  }

  /** All that a person would compare, whatever the domain thinks of it. */
  picture(): Json {
    return JSON.parse(
      JSON.stringify({
        sysctl: Object.fromEntries(this.sysctl),
        entries: Object.fromEntries([...this.entries].toSorted(([a], [b]) => (a < b ? -1 : 1))),
        units: Object.fromEntries(this.units),
        hostname: this.hostname,
        accounts: this.accounts.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        groups: this.groups.toSorted(),
        loginDefs: this.loginDefs,
        listening: this.listening.toSorted((a, b) => a - b),
      }),
    ) as Json;
  }
}

function person(name: string, uid: number, groups: readonly string[]): Account {
  return {
    name,
    uid,
    shell: "/bin/bash",
    groups: [name, ...groups],
    primary: name,
    comment: "",
    expires: "",
    keys: 0,
    password: "locked",
  };
}

function file(text: string): Entry {
  return { type: "file", mode: 0o644, text };
}

function said(stdout: string): RawFact {
  return { status: 0, stdout, stderr: "" };
}
