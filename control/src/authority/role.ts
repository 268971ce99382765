/**
 * What a certificate of our authority says of its holder, as URIs in its SubjectAltName. A role is asked for on every connection: an agent's
 * certificate never passes for the control plane's, nor one agent's for another's.
 */
export const ROLE_AGENT = "holdfast:role:agent";
export const ROLE_CONTROL = "holdfast:role:control";
const SERVER_PREFIX = "holdfast:server:";

export function serverUri(serverId: string): string {
  return SERVER_PREFIX + serverId;
}

/** The URIs in the text that Node gives for a SubjectAltName; a name with a comma inside is quoted there and is never one of ours. */
export function urisOf(subjectAltName: string | undefined): readonly string[] {
  if (subjectAltName === undefined) return [];
  return subjectAltName
    .split(", ")
    .filter((part) => part.startsWith("URI:"))
    .map((part) => part.slice("URI:".length));
}

/** The server that an agent's certificate was issued for; null when it is no agent's, or says two things. */
export function serverOfAgentCertificate(subjectAltName: string | undefined): string | null {
  const uris = urisOf(subjectAltName);
  if (!uris.includes(ROLE_AGENT) || uris.includes(ROLE_CONTROL)) return null;
  const servers = uris.filter((uri) => uri.startsWith(SERVER_PREFIX));
  const only = servers[0];
  return servers.length === 1 && only !== undefined ? only.slice(SERVER_PREFIX.length) : null;
}
