import { documentSchema } from "@holdfast/core/api/document.ts";
import type { TunnelDocument } from "@holdfast/core/policy/document.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { z } from "zod";
import { CliError } from "./cli-error.ts";
import type { Client } from "./client.ts";
import { EXIT } from "./exit-code.ts";

/** Tunnels are read with the language's own reader; what a section of the vpn domain holds is not asked here. */
const DOMAINS = [{ domain: "vpn", schema: z.unknown(), comesFrom: "tunnel" }] as const;

export async function readTunnel(client: Client, name: string): Promise<TunnelDocument> {
  return tunnelIn(name, await client.call("getDocument", { params: { kind: "Tunnel", name }, answer: documentSchema }));
}

export function tunnelIn(name: string, { text, revision }: z.output<typeof documentSchema>): TunnelDocument {
  const [document] = text === null ? [] : parseDocuments(text, { domains: DOMAINS }).documents;
  if (document?.kind === "Tunnel") return document;
  const message =
    text === null ? `Tunnel/${name} was deleted in revision ${revision}.` : `Tunnel/${name} cannot be read.`;
  throw new CliError(EXIT.refused, "cli.no_tunnel", message, "See: holdfast tunnel list");
}
