import { documentSchema } from "@holdfast/core/api/document.ts";
import { API_VERSION } from "@holdfast/core/policy/document.ts";
import { editDocument } from "@holdfast/core/policy/edit.ts";
import { buildCommand } from "@stricli/core";
import { z } from "zod";
import { applyPlanned } from "../apply-planned.ts";
import { CliError } from "../cli-error.ts";
import { type Client, openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { makeAndPlan } from "../make-change.ts";

type DocumentAnswer = z.infer<typeof documentSchema>;

interface Flags {
  readonly restore: boolean;
  readonly yes: boolean;
  readonly acceptDanger: boolean;
}

/**
 * Releasing is one call. With --restore a change comes before it, planned, on trial and confirmed like any other: a server that did not come through it
 * is as before and stays managed. Given again after an interruption it goes on where it was, for a server that has left has nothing to change.
 */
export const releaseCommand = buildCommand<Flags, [string, string], Context>({
  docs: {
    brief: "End management; the server keeps what is in force, or goes back to what it was",
    fullDescription:
      "The server keeps what is in force. With --restore every setting first goes back to what was found before Holdfast, in a change that is on trial\n" +
      "like any other (leaves: true in its Server document); the server is released when that is confirmed.\n\n" +
      "Example: holdfast server release web-1 'moved to another team'",
  },
  parameters: {
    flags: {
      restore: { kind: "boolean", brief: "First put back what was found before Holdfast", default: false },
      yes: { kind: "boolean", brief: "Together with --restore: do not ask", default: false },
      acceptDanger: {
        kind: "boolean",
        brief: "Together with --restore: apply in spite of findings marked DANGER, of which there is one at least",
        default: false,
      },
    },
    aliases: { y: "yes" },
    positional: {
      kind: "tuple",
      parameters: [
        { brief: "Name of the server", parse: String, placeholder: "server" },
        { brief: "Why, for those who come after", parse: String, placeholder: "reason" },
      ],
    },
  },
  async func(flags, name, reason) {
    const client = openClient(this);
    if (flags.restore) {
      const left = await leave(this, client, flags, name, reason);
      if (!left) {
        this.process.stdout.write(`${name} is not released: its last change did not come into force.\n`);
        return;
      }
    }
    await client.call("releaseServer", { params: { name }, body: { reason }, answer: z.unknown() });
    this.process.stdout.write(
      `${name} is released. ${flags.restore ? "It is what it was before Holdfast" : "It keeps what is in force"}; its certificate is revoked.\n`,
    );
  },
});

/** True when nothing holds on the server any more. The exit code says how the change ended where it did not come into force. */
async function leave(context: Context, client: Client, flags: Flags, name: string, reason: string): Promise<boolean> {
  const before = await ownDocument(client, name);
  const text = before === null ? newText(name) : leavingText(name, before.text);
  const isInForce = before?.inForceOn.some((one) => one.server === name && one.revision === before.revision) ?? false;
  if (text === before?.text && isInForce) return true;
  const wish = { title: `${name} leaves`, reason, documents: [{ file: `${name}.yaml`, text }] };
  const change = await makeAndPlan(client, wish);
  await applyPlanned(context, client, change, { ...flags, json: false }, "applyChange");
  return (context.process.exitCode ?? EXIT.done) === EXIT.done;
}

async function ownDocument(client: Client, name: string): Promise<(DocumentAnswer & { readonly text: string }) | null> {
  try {
    const read = await client.call("getDocument", { params: { kind: "Server", name }, answer: documentSchema });
    return read.text === null ? null : { ...read, text: read.text };
  } catch (error) {
    if (error instanceof CliError && error.code === "resource.not_found") return null;
    throw error;
  }
}

function newText(name: string): string {
  return `apiVersion: ${API_VERSION}\nkind: Server\nname: ${name}\nleaves: true\n`;
}

/** The document as it stands, and that the server leaves. */
function leavingText(name: string, text: string): string {
  const edited = editDocument(text, { kind: "set", path: ["leaves"], value: true });
  if (edited.ok) return edited.value;
  throw new CliError(
    EXIT.refused,
    "cli.not_editable",
    `The document Server/${name} cannot be edited here: ${edited.error}.`,
    "Write leaves: true into it, apply that, and release the server without --restore.",
  );
}
