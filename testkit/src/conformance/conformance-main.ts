import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { DOMAINS } from "@holdfast/core/domain.ts";
import { RULES } from "./check.ts";
import { readModuleCase } from "./module-case.ts";
import { type CheckResult, reportInWords, runConformance, type ConformanceWish } from "./run-conformance.ts";

const USAGE = `usage: node testkit/src/conformance/conformance-main.ts
         --domain DOMAIN --socket PATH --ledger DIR [--snapshots DIR] --cases FILE [--rules RULES] -- COMMAND [ARGUMENT]...

Runs a module against the contract of proto/holdfast/v1/module.proto, on a server that may be changed. docs/module-contract.md explains it.
  --domain     one of ${DOMAINS.join(", ")}
  --socket     where the module listens
  --ledger     an empty folder; the module must be told of it
  --snapshots  another one; default: "snapshots" beside the ledger
  --cases      configs and commands of the domain, JSON
  --rules      only the checks of these rules, as ${Object.keys(RULES).join(",")}; default: all
  COMMAND      starts the module in the foreground; it is killed and started again many times

Exit codes: 0 all passed, 1 some failed, 2 usage`;

const EXIT = { passed: 0, failed: 1, usage: 2 } as const;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const wish = readWish(argv);
  if (!wish.ok) {
    process.stderr.write(`${wish.error}\n\n${USAGE}\n`);
    return EXIT.usage;
  }
  try {
    // It takes minutes on a slow server: whoever waits sees that it goes on, and where it stands when it is cut off.
    const onResult = ({ name, broken }: CheckResult): void => {
      process.stderr.write(broken === null ? `passed  ${name}\n` : `FAILED  ${name}: ${broken}\n`);
    };
    const results = await runConformance({ ...wish.value, onResult });
    process.stdout.write(`${reportInWords(results)}\n`);
    return results.every(({ broken }) => broken === null) ? EXIT.passed : EXIT.failed;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.failed;
  }
}

function readWish(argv: readonly string[]): Result<ConformanceWish, string> {
  const cut = argv.indexOf("--");
  const [program, ...operands] = cut === -1 ? [] : argv.slice(cut + 1);
  if (program === undefined) return err("the command that starts the module is missing");
  const options = readOptions(argv.slice(0, cut));
  if (!options.ok) return options;
  const { domain: name, socket, ledger, snapshots, cases, rules } = options.value;
  const domain = DOMAINS.find((known) => known === name);
  if (domain === undefined) return err(`--domain ${name ?? ""}: expected one of ${DOMAINS.join(", ")}`);
  if (socket === undefined || ledger === undefined || cases === undefined)
    return err("--socket, --ledger and --cases are needed");
  const wanted = rules?.split(",") ?? Object.keys(RULES);
  const unknown = wanted.find((rule) => !Object.hasOwn(RULES, rule));
  if (unknown !== undefined) return err(`--rules ${unknown}: expected some of ${Object.keys(RULES).join(",")}`);
  const moduleCase = readCases(cases);
  if (!moduleCase.ok) return err(`--cases ${cases}: ${moduleCase.error}`);
  return ok({
    domain,
    socket,
    ledger,
    snapshots: snapshots ?? join(dirname(ledger), "snapshots"),
    moduleCase: moduleCase.value,
    only: ({ rule }) => wanted.includes(rule),
    start: [program, ...operands],
  });
}

function readOptions(argv: readonly string[]) {
  try {
    const text = { type: "string" } as const;
    const options = { domain: text, socket: text, ledger: text, snapshots: text, cases: text, rules: text };
    return ok(parseArgs({ args: [...argv], options, strict: true }).values);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

function readCases(path: string): ReturnType<typeof readModuleCase> {
  try {
    return readModuleCase(readFileSync(path, "utf8"));
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}
