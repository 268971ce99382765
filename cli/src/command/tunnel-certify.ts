import { readFileSync } from "node:fs";
import { certifiedPersonSchema, type SeenRequest, seenRequestSchema } from "@holdfast/core/api/certificate.ts";
import { changeDetailSchema } from "@holdfast/core/api/change.ts";
import { documentSchema } from "@holdfast/core/api/document.ts";
import { personPlace, withCertificate } from "@holdfast/core/policy/certify-person.ts";
import { parseRequestText } from "@holdfast/core/policy/request-text.ts";
import { buildCommand } from "@stricli/core";
import { CliError, usageError } from "../cli-error.ts";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { tunnelIn } from "../read-tunnel.ts";
import { JSON_FLAG, printAnswer } from "../verb.ts";

interface CertifyFlags {
  readonly request: string;
  readonly identity?: string;
  readonly reason?: string;
  readonly look: boolean;
  readonly json: boolean;
}

/** Issues a certificate and makes a draft in which the tunnel names it: until that is applied the certificate opens nothing. */
export const certify = buildCommand<CertifyFlags, [string, string], Context>({
  docs: {
    brief: "Issue a certificate for a person's request, and a change in which the tunnel lets it in",
    fullDescription:
      "The private key is made on the person's device and stays there; what is read here is its request (PKCS #10 in PEM), which `holdfast tunnel sheet` says how to make.\n" +
      "The certificate is printed: send it to the person. The change is a draft; applied, this certificate opens the tunnel, and the one before it nothing any more.\n" +
      "For the next certificate give the next request, or the same one again for the same key.\n\n" +
      "With --look it says what the request says, and issues nothing.\n" +
      "Example: holdfast tunnel certify remote-staff alice --request alice.csr",
  },
  parameters: {
    flags: {
      request: { kind: "parsed", parse: String, brief: "File of the request; - is standard input" },
      identity: {
        kind: "parsed",
        parse: String,
        brief: "Mail address of a person who is not in the tunnel yet",
        optional: true,
      },
      reason: { kind: "parsed", parse: String, brief: "Why, for the audit log", optional: true },
      look: {
        kind: "boolean",
        brief: "Say what the request says and whether it would be certified, and issue nothing",
        default: false,
      },
      json: JSON_FLAG,
    },
    positional: {
      kind: "tuple",
      parameters: [
        { brief: "Name of the tunnel", parse: String, placeholder: "tunnel" },
        { brief: "The person", parse: String, placeholder: "person" },
      ],
    },
  },
  async func(flags, name, person) {
    const request = requestIn(this, flags.request);
    const client = openClient(this);
    const head = await client.call("getDocument", { params: { kind: "Tunnel", name }, answer: documentSchema });
    const tunnel = tunnelIn(name, head);
    const place = personPlace(tunnel, person);
    if (!place.ok) throw refused(`${person} cannot have a certificate: ${place.error}.`, "See: holdfast tunnel list");
    const { known, server } = place.value;
    if (known !== null && known.proof === null)
      throw refused(
        `${person} of ${name} is revoked.`,
        "Take revoked: out of the document first, if they may come in again.",
      );
    const identity = flags.identity ?? known?.identity;
    if (identity === undefined)
      throw usageError(
        `${person} is not in ${name} yet.`,
        `Example: holdfast tunnel certify ${name} ${person} --request FILE --identity ${person}@example.com`,
      );
    if (flags.look) {
      const seen = await client.call("lookAtPersonRequest", { body: { server, request }, answer: seenRequestSchema });
      printAnswer(this, flags.json, seen, seenText(seen, identity));
      return;
    }
    const body = { server, tunnel: name, person, identity, request };
    const issued = await client.call("certifyPerson", { body, answer: certifiedPersonSchema });
    const text = withCertificate(head.text ?? "", place.value, { identity, pem: issued.pem });
    if (!text.ok)
      throw refused(
        `Tunnel/${name} cannot be edited: ${text.error}.`,
        `Write this into its text, beside ${person}:\n\n${issued.pem}`,
      );
    const change = await client.call("createChange", {
      body: {
        title: `A certificate for ${person} of ${name}`,
        reason: flags.reason ?? "",
        documents: [{ text: text.value, baseRevision: head.revision }],
      },
      answer: changeDetailSchema,
    });
    printAnswer(
      this,
      flags.json,
      { ...issued, change: change.id },
      `${issued.pem.trim()}\n\nFor ${identity}, until ${issued.notAfter.slice(0, 10)}: send it to ${person}. It opens nothing yet.\n${change.title}: a draft. Next: holdfast change apply ${change.id}\n`,
    );
  },
});

function seenText({ says, flaw, holder }: SeenRequest, identity: string): string {
  const isOthers = holder !== null && holder.identity.toLowerCase() !== identity.toLowerCase();
  const verdict =
    flaw !== null
      ? `It would be refused: ${flaw.message}.`
      : isOthers
        ? `It would be refused: its key is that of ${holder.person} (${holder.identity}) in Tunnel/${holder.tunnel}.`
        : `It would be certified for ${identity}, whatever it calls itself.${holder === null ? "" : " The key is that of the certificate of now."}`;
  const lines =
    says === null
      ? []
      : [
          `key          ${says.key}`,
          `calls itself ${says.subject}`,
          `other names  ${says.names.join(", ")}`,
          `fingerprint  ${says.keyFingerprint}`,
          "",
        ];
  return `${[...lines.map((line) => line.trimEnd()), verdict, "Nothing was issued."].join("\n")}\n`;
}

/** Checked before anything is sent: what was given by mistake may be a private key. */
function requestIn(context: Context, file: string): string {
  let text: string;
  try {
    text = file === "-" ? context.input() : readFileSync(file, "utf8");
  } catch (error) {
    throw refused(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      "Give the file of the request.",
    );
  }
  const request = parseRequestText(text);
  if (request.ok) return text;
  throw refused(`--request: ${request.error}.`, "Nothing was sent.");
}

function refused(message: string, remedy: string): CliError {
  return new CliError(EXIT.refused, "cli.certify", message, remedy);
}
