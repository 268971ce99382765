/**
 * `npm run check`: everything that is known without running the house. The checks run side by side, and what each
 * has to say is printed whole when it ends, so that two of them never mix. One that fails fails all.
 */
import { spawn } from "node:child_process";
import { styleText } from "node:util";
import { REPOSITORY_ROOT } from "./repository.ts";

const CHECKS = {
  types: "the compiler, every room with its own strictness",
  lint: "house rules, each with its reason in .oxlintrc.jsonc",
  "format:check": "layout; `npm run format` mends it",
  rooms: "who may import whom, and what no file may contain",
  "dead-code": "files, exports and dependencies that nothing uses",
} as const;

interface Outcome {
  readonly passed: boolean;
  readonly output: string;
  readonly seconds: number;
}

function run(script: string): Promise<Outcome> {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn("npm", ["run", "--silent", script], {
      cwd: REPOSITORY_ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: "1" } : {}) },
    });
    let output = "";
    const keep = (text: string): void => void (output += text);
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    const end = (passed: boolean): void => resolve({ passed, output, seconds: (performance.now() - started) / 1000 });
    child.on("error", (error) => {
      keep(`${error.message}\n`);
      end(false);
    });
    child.on("close", (code) => end(code === 0));
  });
}

const outcomes = await Promise.all(
  Object.entries(CHECKS).map(async ([script, what]) => {
    const outcome = await run(script);
    const mark = outcome.passed ? styleText("green", "ok    ") : styleText("red", "FAILED");
    process.stdout.write(`${mark} ${script.padEnd(12)} ${outcome.seconds.toFixed(1).padStart(5)} s  ${what}\n`);
    if (!outcome.passed) process.stdout.write(`${outcome.output.trimEnd()}\n\n`);
    return outcome;
  }),
);
if (outcomes.some(({ passed }) => !passed)) process.exitCode = 1;
