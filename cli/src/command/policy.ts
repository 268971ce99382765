import { existsSync, writeFileSync } from "node:fs";
import {
  diffResponseSchema,
  documentSchema,
  documentSummarySchema,
  revisionSchema,
  validateResponseSchema,
} from "@holdfast/core/api/document.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { CliError, usageError } from "../cli-error.ts";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { readAll, readNewest } from "../read-all.ts";
import { readDocuments } from "../read-documents.ts";
import { verb } from "../verb.ts";
import { paintDiff } from "../view/diff.ts";
import { printFindings } from "../view/findings.ts";
import { plain } from "../view/style.ts";
import { table } from "../view/table.ts";
import { relative } from "../view/time.ts";

/** `web-host` is a policy; any other kind is written `Group/office`. */
function reference(text: string): { kind: string; name: string } {
  const [kind, name] = text.includes("/") ? text.split("/", 2) : ["Policy", text];
  if (kind === undefined || name === undefined || name === "")
    throw usageError(`"${text}" names no document.`, "Write a policy's name, or Kind/name.");
  return { kind, name };
}

const list = verb({
  brief: "Documents with their newest revision and where they are in force",
  example: "policy list",
  run: async (client) => {
    const value = await readAll(client, "listDocuments", documentSummarySchema);
    return {
      value,
      text: (context) =>
        table(
          context,
          ["document", "revision", "author", "changed", "in force on"],
          value
            .filter((item) => !item.deleted)
            .map((item) => [
              `${item.kind}/${item.name}`,
              String(item.revision),
              item.author,
              relative(item.at, context.now()),
              item.inForceOn
                .map((place) => `${place.server}${place.revision === item.revision ? "" : ` (r${place.revision})`}`)
                .join(" ") || "nowhere",
            ]),
          "No documents yet. Apply the first with: holdfast apply -f FILE",
        ),
    };
  },
});

const show = verb({
  brief: "A document's text, as its author wrote it",
  example: "policy show web-host",
  operands: ["document"],
  run: async (client, [name = ""]) => {
    const value = await client.call("getDocument", { params: reference(name), answer: documentSchema });
    return { value, text: () => value.text ?? `deleted in revision ${value.revision}\n` };
  },
});

const history = verb({
  brief: "Revisions of a document, newest first",
  example: "policy history web-host",
  operands: ["document"],
  run: async (client, [name = ""], context) => {
    const value = await readNewest(context, client, "listRevisions", revisionSchema, { params: reference(name) });
    return {
      value,
      text: () =>
        table(
          context,
          ["revision", "author", "when", "comment", "digest"],
          value.map((item) => [
            String(item.revision),
            item.author,
            relative(item.at, context.now()),
            item.text === null ? "deleted" : plain(item.comment),
            item.digest.slice(0, 12),
          ]),
          "No revisions.",
        ),
    };
  },
});

const diff = verb({
  brief: "Compare two revisions of a document",
  example: "policy diff web-host 3 4",
  operands: ["document", "from", "to"],
  run: async (client, [name = "", from, to]) => {
    const value = await client.call("diffRevisions", {
      params: reference(name),
      query: { from, to },
      answer: diffResponseSchema,
    });
    return {
      value,
      text: (context) => (value.diff === "" ? "The same text.\n" : `${paintDiff(context, value.diff.trimEnd())}\n`),
    };
  },
});

interface ValidateFlags {
  readonly file: string;
  readonly json: boolean;
}

const validate = buildCommand<ValidateFlags, [], Context>({
  docs: {
    brief: "Findings for documents; nothing is kept and no server is asked",
    fullDescription: "Exit code 1 when there is an error.\n\nExample: holdfast policy validate -f policies/",
  },
  parameters: {
    flags: {
      file: { kind: "parsed", parse: String, brief: "A file or folder with documents, - for standard input" },
      json: { kind: "boolean", brief: "For machines", default: false },
    },
    aliases: { f: "file" },
  },
  async func(flags) {
    const client = openClient(this);
    const answers = [];
    for (const { file, text } of readDocuments(flags.file)) {
      answers.push({
        file,
        ...(await client.call("validateDocuments", { body: { text, file }, answer: validateResponseSchema })),
      });
    }
    const errors = answers.flatMap((answer) => answer.findings).filter((finding) => finding.severity === "error");
    if (flags.json) this.process.stdout.write(`${JSON.stringify(answers)}\n`);
    else {
      for (const answer of answers) {
        this.process.stdout.write(
          `${answer.file}: ${answer.documents.map(({ kind, name }) => `${kind}/${name}`).join(", ") || "no document"}\n`,
        );
        this.process.stdout.write(printFindings(this, answer.findings, answer.file));
      }
    }
    if (errors.length > 0) this.process.exitCode = EXIT.refused;
  },
});

interface EditFlags {
  readonly on?: readonly string[];
}

const edit = buildCommand<EditFlags, [string], Context>({
  docs: {
    brief: "Write a document into a file here, ready to be edited and applied",
    fullDescription:
      "Writes the text to NAME.yaml in this folder and says how to apply it. Nothing is sent.\n\nExample: holdfast policy edit web-host",
  },
  parameters: {
    flags: {
      on: {
        kind: "parsed",
        parse: String,
        brief: "Servers to name in the printed command",
        optional: true,
        variadic: true,
      },
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Name of the document", parse: String, placeholder: "document" }],
    },
  },
  async func(flags, name) {
    const { kind, name: bare } = reference(name);
    const file = `${bare}.yaml`;
    if (existsSync(file))
      throw new CliError(
        EXIT.refused,
        "cli.file_exists",
        `${file} is already here.`,
        "Apply it, or move it away first.",
      );
    const value = await openClient(this).call("getDocument", { params: { kind, name: bare }, answer: documentSchema });
    writeFileSync(file, value.text ?? "");
    const on = (flags.on ?? []).map((server) => ` --on ${server}`).join("");
    this.process.stdout.write(
      `${kind}/${bare} r${value.revision} is in ${file}. Edit it, then: holdfast apply -f ${file}${on}\n`,
    );
  },
});

export const policyRoutes = buildRouteMap({
  routes: { list, show, edit, validate, diff, history },
  docs: { brief: "Policies and the other documents: list, show, edit, validate, compare" },
});
