import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { assertNever } from "@holdfast/core/base/never.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { DomainName, FactQuery, RawFact, RawFacts } from "@holdfast/core/domain.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import { LOGIN_DEFS } from "@holdfast/domains/system/login-defs.ts";
import { changeAccount, changeGroup, rehearseAccount } from "./account-change.ts";
import { readAccounts } from "./accounts.ts";
import { checkStep, type StepOrigin } from "./action-rules.ts";
import { changeAuthority, rehearseAuthority } from "./authority.ts";
import { readEntry, readFolder } from "./entry.ts";
import { exec } from "./exec.ts";
import { makeFolder, readTextIfThere, removeFileDurably, writeFileDurably } from "./files.ts";
import { makeHome } from "./home.ts";
import { putHostsBlock } from "./hosts-block.ts";
import { changeIpState, changeLink } from "./ip.ts";
import { writeBootKeys } from "./ipsec-keys.ts";
import { actOnIpsec, readIpsec } from "./ipsec.ts";
import type { KeptAnswers } from "./kept-answers.ts";
import { changeModules, kernelModules, rehearseModules } from "./kernel-modules.ts";
import { knowsZone, pointLocaltime } from "./localtime.ts";
import { putLoginLine } from "./login-defs.ts";
import { reloadNetworkd } from "./networkd.ts";
import type { Nft } from "./nft.ts";
import { changeRsyslog, rehearseRsyslog } from "./rsyslog.ts";
import { changeSshd, rehearseSshd } from "./sshd.ts";
import { changeSudo, rehearseSudo } from "./sudo.ts";
import { canSetSysctl, readSysctlTree, setHostname, setSysctl } from "./sysctl.ts";
import { changeTask, rehearseTask } from "./task.ts";
import { changeTimer, rehearseTimer } from "./timer.ts";
import { actOnUnit } from "./unit.ts";

/** What the hands work on: the root that paths are below, the one nft, and what need not be asked again. */
export interface Machine {
  readonly root: string;
  readonly nft: Nft;
  readonly kept: KeptAnswers;
}

/** Does what one step says. There is no other way to change the server; what a step may say, core's Action decides. */
export async function perform(machine: Machine, step: Step, origin: StepOrigin): Promise<Result<null, string>> {
  const allowed = checkStep(step, origin);
  if (!allowed.ok) return allowed;
  const { action } = step;
  switch (action.kind) {
    case "nft":
      return machine.nft.load(action.batch, step.budgetMs);
    case "write_file":
      return attempt(() => {
        const path = join(machine.root, action.path);
        if (!existsSync(dirname(path))) makeFolder(dirname(path), 0o755);
        writeFileDurably(path, action.text, action.mode);
      });
    case "remove_file":
      return attempt(() => {
        const path = join(machine.root, action.path);
        if (existsSync(dirname(path))) removeFileDurably(path);
      });
    case "sysctl":
      return setSysctl(join(machine.root, KERNEL_SETTINGS), action.key, action.value);
    case "hostname":
      return setHostname(join(machine.root, KERNEL_SETTINGS), action.name);
    case "localtime":
      return pointLocaltime(machine.root, action.target);
    case "hosts_block":
      return putHostsBlock(join(machine.root, "/etc/hosts"), action.block);
    case "login_setting":
      return putLoginLine(join(machine.root, LOGIN_DEFS), action.key, action.line);
    case "sshd":
      return ofWholeMachine(machine, () => changeSshd(machine.root, action, step.budgetMs));
    case "unit":
      return ofWholeMachine(machine, () => actOnUnit(action.unit, action.verb, step.budgetMs));
    case "account":
      return ofWholeMachine(machine, () => changeAccount(machine.root, action.name, action.want, step.budgetMs));
    case "group":
      return ofWholeMachine(machine, () => changeGroup(machine.root, action.name, action.exists, step.budgetMs));
    case "home":
      return ofWholeMachine(machine, () => Promise.resolve(makeHome(machine.root, action.name)));
    case "sudo":
      return ofWholeMachine(machine, () => changeSudo(machine.root, action.text, action.check));
    case "authority":
      return ofWholeMachine(machine, () => changeAuthority(machine.root, action.name, action.text, step.budgetMs));
    case "modules":
      return ofWholeMachine(machine, () => changeModules(machine.root, action.text, step.budgetMs));
    case "rsyslog":
      return ofWholeMachine(machine, () => changeRsyslog(machine.root, action.text, action.check, step.budgetMs));
    case "timer":
      return ofWholeMachine(machine, () => changeTimer(machine.root, action, step.budgetMs));
    case "task":
      return ofWholeMachine(machine, () => changeTask(machine.root, action, step.budgetMs));
    case "networkd":
      return ofWholeMachine(machine, () => reloadNetworkd(action, step.budgetMs));
    case "link":
      return changeLink(action.link, action.change, step.budgetMs);
    case "ip_state":
      return changeIpState(action.absent, action.present, step.budgetMs);
    case "ipsec":
      return actOnIpsec(machine.root, action.act);
    case "ipsec_boot_keys":
      return writeBootKeys(machine.root, action.keys, action.certificates);
    default:
      return assertNever(action);
  }
}

const KERNEL_SETTINGS = "/proc/sys";

/**
 * Lets the machine check a step without doing it, where that is possible. What costs as much as the step itself is left out unless `fully`.
 */
export async function rehearse(machine: Machine, step: Step, fully: boolean): Promise<Result<null, string>> {
  const allowed = checkStep(step, "plan");
  if (!allowed.ok) return allowed;
  const { action } = step;
  switch (action.kind) {
    case "nft":
      return fully ? machine.nft.rehearse(action.batch, step.budgetMs) : ok(null);
    case "sysctl":
      return canSetSysctl(join(machine.root, KERNEL_SETTINGS), action.key);
    case "localtime":
      return action.target === null ? ok(null) : knowsZone(machine.root, action.target);
    case "sshd":
      return ofWholeMachine(machine, () => rehearseSshd(machine.root, action));
    case "account":
      return ofWholeMachine(machine, () => rehearseAccount(machine.root, action.name, action.want));
    case "sudo":
      return ofWholeMachine(machine, () => rehearseSudo(machine.root, action.check ? action.text : null));
    case "authority":
      return ofWholeMachine(machine, () => Promise.resolve(rehearseAuthority(machine.root, action.text)));
    case "modules":
      return ofWholeMachine(machine, () => Promise.resolve(rehearseModules(machine.root, action.text)));
    case "rsyslog":
      return ofWholeMachine(machine, () => rehearseRsyslog(machine.root, action.check ? action.text : null));
    case "timer":
      return ofWholeMachine(machine, () => rehearseTimer(action.check ? action.text : null));
    case "task":
      return ofWholeMachine(machine, () => rehearseTask(action));
    case "write_file":
    case "remove_file":
    case "group":
    case "home":
    case "hostname":
    case "hosts_block":
    case "login_setting":
    case "unit":
    case "networkd":
    case "link":
    case "ip_state":
    case "ipsec":
    case "ipsec_boot_keys":
      return ok(null);
    default:
      return assertNever(action);
  }
}

/** Daemons belong to the machine, not to an agent that looks after a folder of it. */
async function ofWholeMachine(
  machine: Machine,
  act: () => Promise<Result<null, string>>,
): Promise<Result<null, string>> {
  return machine.root === "/"
    ? act()
    : err("this agent works below a folder, and the daemons of the machine are not below it");
}

/** Reads what a domain wants to know. What cannot be read, or takes a command longer than this, is said in the answer, never thrown. */
export async function readFacts(
  machine: Machine,
  domain: DomainName,
  queries: readonly FactQuery[],
  timeoutMs = READ_TIMEOUT_MS,
): Promise<RawFacts> {
  const facts: Record<string, RawFact> = {};
  for (const query of queries) facts[query.name] = await readFact(machine, domain, query, timeoutMs);
  return facts;
}

/** Milliseconds. The listing of 50,000 rules takes four seconds on a small machine. */
const READ_TIMEOUT_MS = 20_000;

async function readFact(machine: Machine, domain: DomainName, query: FactQuery, timeoutMs: number): Promise<RawFact> {
  switch (query.kind) {
    case "command": {
      const { onlyWith } = query;
      if (onlyWith !== undefined && !existsSync(join(machine.root, onlyWith)))
        return { status: 1, stdout: "", stderr: `nobody to ask: there is no ${onlyWith}` };
      const [program, dashJ, ...words] = query.argv;
      if (program === "nft" && dashJ === "-j" && words[0] === "list") {
        const listed = await machine.nft.list(words, timeoutMs);
        return listed.ok
          ? { status: 0, stdout: listed.value, stderr: "" }
          : { status: 1, stdout: "", stderr: listed.error };
      }
      const ask = async (): Promise<RawFact> => {
        const run = await exec(query.argv, { timeoutMs });
        return { status: run.status ?? 255, stdout: run.stdout, stderr: run.stderr };
      };
      const { whileSame } = query;
      // Not below the root: a command asks the whole machine.
      return whileSame === undefined ? ask() : machine.kept.answer(query.argv.join(" "), whileSame, ask);
    }
    case "file": {
      try {
        const text = readTextIfThere(join(machine.root, query.path));
        return text === null
          ? { status: 1, stdout: "", stderr: `${query.path}: there is no such file` }
          : { status: 0, stdout: text, stderr: "" };
      } catch (error) {
        return {
          status: 2,
          stdout: "",
          stderr: error instanceof Error ? error.message : `${domain}: ${query.path} cannot be read`,
        };
      }
    }
    case "entry":
      return { status: 0, stdout: JSON.stringify(readEntry(join(machine.root, query.path))), stderr: "" };
    case "folder":
      return asFact(() => readFolder(join(machine.root, query.path), query.suffix));
    case "sysctl":
      return asFact(() => readSysctlTree(join(machine.root, query.path)));
    case "modules":
      return asFact(() => kernelModules(machine.root, query.path));
    case "accounts":
      return asFact(() => readAccounts(machine.root, query.path));
    case "ipsec": {
      // Whatever keeps it from being read must not keep an undo from the rest.
      return asFact(() => readIpsec(machine.root, query.path));
    }
    default:
      return assertNever(query);
  }
}

async function asFact(read: () => unknown): Promise<RawFact> {
  try {
    return { status: 0, stdout: JSON.stringify(await read()), stderr: "" };
  } catch (error) {
    return { status: 2, stdout: "", stderr: error instanceof Error ? error.message : String(error) };
  }
}

function attempt(act: () => void): Result<null, string> {
  try {
    act();
    return ok(null);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}
