import type { Finding } from "@holdfast/core/base/finding.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";

/** An expected failure of a command: printed as words and a remedy, never as a stack. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly remedy: string;
  readonly findings: readonly Finding[];

  constructor(exitCode: ExitCode, code: string, message: string, remedy: string, findings: readonly Finding[] = []) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
    this.remedy = remedy;
    this.findings = findings;
  }
}

export function usageError(message: string, remedy: string): CliError {
  return new CliError(EXIT.usage, "cli.usage", message, remedy);
}
