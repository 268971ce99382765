import { buildCommand } from "@stricli/core";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { makeAndPlan, obstacles, printReview } from "../make-change.ts";
import { readDocuments } from "../read-documents.ts";

interface Flags {
  readonly file: string;
  readonly exitCode: boolean;
  readonly json: boolean;
}

/** `--exit-code`: what a pipeline asks. */
const SOMETHING_TO_DO = EXIT.undone;

export const planCommand = buildCommand<Flags, [], Context>({
  docs: {
    brief: "Show what documents would do to every server concerned; changes nothing",
    fullDescription:
      "With --exit-code: 0 nothing to do, 3 something to do, 1 refused or not plannable.\n\nExample: holdfast plan -f policies/ --exit-code",
  },
  parameters: {
    flags: {
      file: { kind: "parsed", parse: String, brief: "A file or folder with documents, - for standard input" },
      exitCode: { kind: "boolean", brief: "Say by the exit code whether there is something to do", default: false },
      json: { kind: "boolean", brief: "For machines", default: false },
    },
    aliases: { f: "file" },
  },
  async func(flags) {
    const client = openClient(this);
    const files = readDocuments(flags.file);
    const change = await makeAndPlan(client, {
      title: `plan ${flags.file}`,
      documents: files.map(({ file, text }) => ({ file, text })),
    });
    if (flags.json) this.process.stdout.write(`${JSON.stringify(change)}\n`);
    else this.process.stdout.write(printReview(this, change, change.plans) || "It concerns no server.\n");
    if (obstacles(change.plans).length > 0) this.process.exitCode = EXIT.refused;
    else if (flags.exitCode && change.plans.some((plan) => plan.status === "planned"))
      this.process.exitCode = SOMETHING_TO_DO;
  },
});
