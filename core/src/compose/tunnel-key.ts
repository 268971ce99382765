import type { Finding } from "../base/finding.ts";
import { documentId, type TunnelDocument } from "../policy/document.ts";
import { formatPath, type Path } from "../policy/path.ts";
import type { TrustedCertificate, TunnelEnd } from "../policy/tunnel-document.ts";
import type { KeyReference } from "../policy/tunnel-text.ts";
import { namesIssuerKey } from "../secret/issuer-key.ts";
import {
  secretFile,
  secretOfEnd,
  secretOfTunnel,
  type SecretVersion,
  TUNNEL_AUTHORITY_SECRET,
} from "../secret/secret-file.ts";
import { composeFinding } from "./findings.ts";
import { identitiesOf, managedServers } from "./tunnel-ends.ts";

/** A key that a tunnel names, and where in its text. One of the store is never more than its name here. */
export interface NamedKey {
  /** Null: no person's. */
  readonly person: string | null;
  /** The server whose own it is; null: the key of both ends, or a person's. */
  readonly server: string | null;
  readonly key: KeyReference;
  /** The name of its secret; null where it is not of the store. */
  readonly secret: string | null;
  readonly path: Path;
}

/** One for both ends, one for each of them, or one for each person who may come in. */
export function namedKeys({ name: tunnel, body: { key, ends } }: TunnelDocument): readonly NamedKey[] {
  switch (key.from) {
    case "file":
      return [{ person: null, server: null, key, secret: null, path: ["auth", "psk"] }];
    case "secret":
      return [{ person: null, server: null, key, secret: key.name, path: ["auth", "psk"] }];
    case "generated":
      return [{ person: null, server: null, key, secret: secretOfTunnel(tunnel), path: ["auth", "psk"] }];
    case "certificate":
      return ends.flatMap((end): readonly NamedKey[] =>
        end.kind === "managed"
          ? [
              {
                person: null,
                server: end.server,
                key,
                secret: secretOfEnd(tunnel, end.name),
                path: ["auth", "certificate"],
              },
            ]
          : personKeys(end),
      );
    case "each":
      return ends.flatMap(personKeys);
  }
}

function personKeys(end: TunnelEnd): readonly NamedKey[] {
  if (end.kind !== "people") return [];
  return end.people.flatMap(({ name, proof }): readonly NamedKey[] => {
    // A certificate is public: of the key that goes with it nobody but the person has anything.
    if (proof === null || proof.by === "certificate") return [];
    const { by, key } = proof;
    const secret = key.from === "secret" ? key.name : null;
    return [{ person: name, server: null, key, secret, path: ["ends", end.name, "people", name, by] }];
  });
}

type Named = Pick<SecretVersion, "name" | "version">;

export function secretsOf(tunnel: TunnelDocument): readonly Named[] {
  return namedKeys(tunnel).flatMap((named) => secretIn(named) ?? []);
}

function secretIn({ key, secret }: NamedKey): Named | null {
  return secret === null || key.from === "file" || key.from === "each" ? null : { name: secret, version: key.version };
}

/** What a generated key is bound to: with another server at an end it would be shared with one that has left, or prove another name. */
export function boundTo(tunnel: TunnelDocument, server: string | null): string {
  const end = tunnel.body.ends.find((one) => one.kind === "managed" && one.server === server);
  if (end?.kind === "managed") return identitiesOf(tunnel.body, end).join(" ");
  return server ?? managedServers(tunnel).toSorted().join(" ");
}

/** By what one end of ours proves itself, and what it accepts of the other: certificates as the base64 of their DER. */
export interface TunnelCertificates {
  readonly own: string;
  readonly keyId: string;
  /** The other end has this very one; null: any that the authority has issued for its identity. */
  readonly peer: string | null;
  readonly authority: string | null;
}

export interface TunnelKey {
  readonly person: string | null;
  readonly keyFile: string;
  /** Null: it is a pre-shared key. */
  readonly certificates: TunnelCertificates | null;
  readonly findings: readonly Finding[];
}

/** Keys that this server needs for a tunnel that ends on it. */
export function tunnelKeys(
  tunnel: TunnelDocument,
  server: string,
  secrets: readonly SecretVersion[],
): readonly TunnelKey[] {
  const found = namedKeys(tunnel).map((named) => ({ named, ...keyFileOf(tunnel, named, secrets) }));
  const own = found.filter(({ named }) => named.server === null || named.server === server);
  const others = found.filter((one) => !own.includes(one));
  const keys = own.map(({ named, keyFile, version, findings }) => ({
    person: named.person,
    keyFile,
    certificates: certificatesOf(tunnel, version, others[0]?.version ?? null),
    // Without the other end's certificate this one would accept nobody.
    findings: [...findings, ...others.flatMap((one) => one.findings)],
  }));
  const ours = keys.find(({ person }) => person === null);
  return ours === undefined ? keys : [...keys, ...certifiedPeople(tunnel, ours, secrets)];
}

/** To each of them this server proves itself by what it has, and of each it accepts that very certificate. */
function certifiedPeople(
  tunnel: TunnelDocument,
  { keyFile, certificates }: TunnelKey,
  secrets: readonly SecretVersion[],
): readonly TunnelKey[] {
  const authorities = secrets.flatMap(({ name, certificate }) =>
    name === TUNNEL_AUTHORITY_SECRET && certificate !== undefined ? [certificate] : [],
  );
  return tunnel.body.ends.flatMap((end) =>
    (end.kind === "people" ? end.people : []).flatMap(({ name: person, proof }): readonly TunnelKey[] => {
      if (proof?.by !== "certificate") return [];
      const { certificate: peer } = proof;
      const authority = authorities.find(({ keyId }) => namesIssuerKey(peer, keyId));
      const isUsable = certificates !== null && authority !== undefined;
      const at = {
        document: documentId(tunnel),
        path: formatPath(["ends", end.name, "people", person, "certificate"]),
      };
      const message = `The certificate of ${person} was not issued by an authority of tunnels of this house.`;
      return [
        {
          person,
          keyFile,
          certificates: isUsable ? { ...certificates, peer, authority: authority.own } : null,
          findings: authority === undefined ? [composeFinding("compose.certificate_not_ours", message, at)] : [],
        },
      ];
    }),
  );
}

function certificatesOf(
  { body: { ends } }: TunnelDocument,
  own: SecretVersion | null,
  other: SecretVersion | null,
): TunnelCertificates | null {
  if (own?.certificate === undefined) return null;
  const trusted = ends.flatMap((end): readonly TrustedCertificate[] =>
    end.kind === "external" && end.trusted !== null ? [end.trusted] : [],
  );
  const named = (of: TrustedCertificate["of"]): string | null =>
    trusted.find((one) => one.of === of)?.certificate ?? null;
  return {
    own: own.certificate.own,
    keyId: own.certificate.keyId,
    peer: other?.certificate?.own ?? named("end"),
    authority: other?.certificate?.authority ?? named("authority"),
  };
}

interface FoundKey {
  readonly keyFile: string;
  readonly version: SecretVersion | null;
  readonly findings: readonly Finding[];
}

function keyFileOf(tunnel: TunnelDocument, named: NamedKey, secrets: readonly SecretVersion[]): FoundKey {
  const { key: psk, path, server } = named;
  if (psk.from === "file") return { keyFile: psk.name, version: null, findings: [] };
  const wanted = secretIn(named);
  const own = secrets.filter(({ name }) => name === wanted?.name);
  const found = own.find(({ version }) => version === wanted?.version);
  const at = { document: documentId(tunnel), path: formatPath(path) };
  if (wanted === null || found === undefined) {
    const message =
      own.length === 0
        ? `The store has no secret called ${wanted?.name ?? ""}.`
        : `The store has no version ${wanted?.version ?? 0} of ${wanted?.name ?? ""}; there are ${own.map(({ version }) => version).join(", ")}.`;
    return { keyFile: "", version: null, findings: [composeFinding("compose.unknown_secret", message, at)] };
  }
  const keyFile = secretFile(found);
  if (psk.from !== "secret" && found.boundTo !== boundTo(tunnel, server)) {
    const message =
      server === null
        ? `Version ${found.version} of this key was made for ${found.boundTo.replace(" ", " and ")}, and another server would share it now.`
        : `Version ${found.version} of this certificate is that of ${found.boundTo}, and the end is ${boundTo(tunnel, server)} now.`;
    return { keyFile, version: found, findings: [composeFinding("compose.key_of_other_ends", message, at)] };
  }
  const newest = Math.max(...own.map(({ version }) => version));
  if (psk.from === "secret" && newest > found.version) {
    const message = `This is version ${found.version} of ${found.name}; the store has ${newest}.`;
    return { keyFile, version: found, findings: [composeFinding("compose.secret_outdated", message, at)] };
  }
  return { keyFile, version: found, findings: [] };
}
