import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { assertNever } from "@holdfast/core/base/never.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { DomainName, FactQuery, RawFact, RawFacts } from "@holdfast/core/domain.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import { checkStep } from "./action-rules.ts";
import { exec } from "./exec.ts";
import { makeFolder, readTextIfThere, removeFileDurably, writeFileDurably } from "./files.ts";
import type { Nft } from "./nft.ts";

/** What the hands work on: the root that paths are below, and the one nft. */
export interface Machine {
  readonly root: string;
  readonly nft: Nft;
}

/** Does what one step says. There is no other way to change the server; what a step may say, core's Action decides. */
export async function perform(machine: Machine, step: Step): Promise<Result<null, string>> {
  const allowed = checkStep(step);
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
    default:
      return assertNever(action);
  }
}

/** Lets the kernel check a step without doing it, where that is possible. */
export async function rehearse(machine: Machine, step: Step): Promise<Result<null, string>> {
  const allowed = checkStep(step);
  if (!allowed.ok) return allowed;
  return step.action.kind === "nft" ? machine.nft.rehearse(step.action.batch, step.budgetMs) : ok(null);
}

/** Reads what a domain wants to know. What cannot be read is said in the answer, never thrown. */
export async function readFacts(
  machine: Machine,
  domain: DomainName,
  queries: readonly FactQuery[],
): Promise<RawFacts> {
  const facts: Record<string, RawFact> = {};
  for (const query of queries) facts[query.name] = await readFact(machine, domain, query);
  return facts;
}

/** Milliseconds. The listing of 50,000 rules takes four seconds on a small machine. */
const READ_TIMEOUT_MS = 20_000;

async function readFact(machine: Machine, domain: DomainName, query: FactQuery): Promise<RawFact> {
  switch (query.kind) {
    case "command": {
      const [program, dashJ, ...words] = query.argv;
      if (program === "nft" && dashJ === "-j" && words[0] === "list") {
        const listed = await machine.nft.list(words, READ_TIMEOUT_MS);
        return listed.ok
          ? { status: 0, stdout: listed.value, stderr: "" }
          : { status: 1, stdout: "", stderr: listed.error };
      }
      const run = await exec(query.argv, { timeoutMs: READ_TIMEOUT_MS });
      return { status: run.status ?? 255, stdout: run.stdout, stderr: run.stderr };
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
    default:
      return assertNever(query);
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
