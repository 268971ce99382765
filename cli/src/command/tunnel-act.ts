import { tunnelActedSchema } from "@holdfast/core/api/tunnel-act.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import { TUNNEL_PARTS, type TunnelPart, type TunnelVerb } from "@holdfast/core/plan/tunnel-act.ts";
import { buildCommand, type Command } from "@stricli/core";
import { CliError, usageError } from "../cli-error.ts";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { asPerson } from "../step-up.ts";
import { JSON_FLAG, printAnswer } from "../verb.ts";
import { printFindings } from "../view/findings.ts";

interface Flags {
  readonly of?: TunnelPart;
  readonly yes: boolean;
  readonly acceptDanger: boolean;
  readonly json: boolean;
}

/** As a sentence ends: "…, done." */
const DONE = {
  initiate: "is agreed with the other end and carries packets",
  terminate: "is ended",
  rekey: "has new keys",
} as const satisfies Record<TunnelVerb, string>;

/**
 * One act on a tunnel at one of its ends: asks the server what it would cut, shows it, asks the person, does it. Between the two looks something may
 * have changed; the server looks again and refuses a danger that was not shown.
 */
export function tunnelAct(act: TunnelVerb, brief: string, more: string): Command<Context> {
  return buildCommand<Flags, [string, string], Context>({
    docs: {
      brief,
      fullDescription:
        `${brief}.\n${more}\nIt changes no configuration and is not undone. The server says first what it cuts; findings marked DANGER have to be accepted.\n` +
        `Refused while a change is on trial on that server.\n\nExample: holdfast tunnel ${act} seoul-busan gw-seoul`,
    },
    parameters: {
      flags: {
        of: { kind: "enum", values: TUNNEL_PARTS, brief: OF[act], optional: true, hidden: act === "initiate" },
        yes: { kind: "boolean", brief: "Do not ask; findings marked DANGER still stop it", default: false },
        acceptDanger: {
          kind: "boolean",
          brief: "Together with --yes: do it in spite of findings marked DANGER",
          default: false,
        },
        json: JSON_FLAG,
      },
      aliases: { y: "yes" },
      positional: {
        kind: "tuple",
        parameters: [
          { brief: "Name of the tunnel; where an end is people, TUNNEL--PERSON", parse: String, placeholder: "tunnel" },
          { brief: "The end at which it is done: name of the server", parse: String, placeholder: "server" },
        ],
      },
    },
    async func(flags, tunnel, server) {
      const client = openClient(this);
      const params = { name: server, tunnel };
      const asked = { act, ...(flags.of === undefined ? {} : { of: flags.of }) };
      const seen = await client.call("actOnTunnel", {
        params,
        body: { ...asked, preview: true },
        answer: tunnelActedSchema,
      });
      if (seen.outcome === "refused")
        throw new CliError(
          EXIT.refused,
          "tunnel.refused",
          `${tunnel} on ${server}: not possible as it is. Nothing was done.`,
          "See the findings.",
          seen.findings,
        );
      if (!flags.json) this.process.stdout.write(printFindings(this, seen.findings));
      if (seen.outcome === "nothing_to_do") {
        printAnswer(this, flags.json, seen, "Nothing to do.\n");
        return;
      }
      const acknowledge = await agree(this, flags, `${act} ${tunnel} on ${server}`, server, seen.findings);
      const done = await asPerson(this, client, (as) =>
        as.call("actOnTunnel", { params, body: { ...asked, acknowledge }, answer: tunnelActedSchema }),
      );
      const words = done.outcome === "done" ? `${tunnel} ${DONE[act]}.` : "Nothing to do any more.";
      printAnswer(this, flags.json, done, `${words} See: holdfast tunnel show ${tunnel}\n`);
    },
  });
}

const OF = {
  // A tunnel is begun as a whole.
  initiate: "child",
  terminate: "ike ends the whole association (usual), child only what carries packets",
  rekey: "child: the keys that packets are encrypted with (usual); ike: those of the association",
} as const satisfies Record<TunnelVerb, string>;

/** Codes of the dangers that were shown, once a person has said yes to them. */
async function agree(
  context: Context,
  flags: Flags,
  what: string,
  server: string,
  findings: readonly Finding[],
): Promise<readonly string[]> {
  const risky = findings.filter(({ severity }) => severity === "danger");
  const codes = risky.map(({ code }) => code);
  if (flags.yes) {
    if (risky.length === 0 || flags.acceptDanger) return codes;
    throw new CliError(
      EXIT.refused,
      "tunnel.danger_not_accepted",
      `Not done: ${risky.length} finding${risky.length === 1 ? "" : "s"} marked DANGER.`,
      "Read them; then add --accept-danger, or leave --yes out.",
      risky,
    );
  }
  if (!context.interactive) throw usageError("Nobody is here to ask.", "Add --yes to do it without a question.");
  const needed = risky.length > 0 ? server : "yes";
  const question =
    risky.length > 0
      ? `This may cut what people use now, or lay it open. To ${what} all the same, type the server name: `
      : `To ${what}, type yes: `;
  if ((await context.ask(question)).trim() !== needed)
    throw new CliError(EXIT.refused, "cli.not_confirmed", "Not done; nothing was changed.", "");
  return codes;
}
