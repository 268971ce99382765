import { X509Certificate } from "node:crypto";
import type { TunnelDocument } from "@holdfast/core/policy/document.ts";
import { TUNNEL_AUTHORITY_SECRET } from "@holdfast/core/secret/secret-file.ts";
import type { World } from "./world.ts";

/** A certificate of a person, as a revision of a tunnel names it. */
export interface NamedCertificate {
  readonly tunnel: string;
  readonly person: string;
  readonly identity: string;
  /** The base64 of its DER. */
  readonly body: string;
}

export function certificatesIn({ name: tunnel, body: { ends } }: TunnelDocument): readonly NamedCertificate[] {
  return ends.flatMap((end) =>
    (end.kind === "people" ? end.people : []).flatMap(({ name: person, identity, proof }) =>
      proof?.by === "certificate" ? [{ tunnel, person, identity, body: proof.certificate }] : [],
    ),
  );
}

export interface PlacedCertificate extends NamedCertificate {
  readonly as: readonly ("head" | "in_force")[];
}

/** Of every tunnel, as it was written last and as it is in force; each certificate of a person once. */
export function peopleCertificates(world: World): readonly PlacedCertificate[] {
  const found = new Map<string, NamedCertificate & { readonly as: Set<"head" | "in_force"> }>();
  const note = (document: ReturnType<World["document"]>, as: "head" | "in_force"): void => {
    if (document?.kind !== "Tunnel") return;
    for (const one of certificatesIn(document)) {
      const key = `${one.tunnel} ${one.person} ${one.body}`;
      const known = found.get(key) ?? { ...one, as: new Set() };
      known.as.add(as);
      found.set(key, known);
    }
  };
  for (const head of world.heads.values()) if (!head.deleted) note(world.document(head.id, head.revision), "head");
  for (const own of world.assigned.values())
    for (const [id, revision] of own) note(world.document(id, revision), "in_force");
  return [...found]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { as, ...one }]) => ({ ...one, as: (["head", "in_force"] as const).filter((way) => as.has(way)) }));
}

/** Null: the text has the form of a certificate and is none. */
export function readCertificate(body: string): X509Certificate | null {
  try {
    return new X509Certificate(Buffer.from(body, "base64"));
  } catch {
    return null;
  }
}

/** The authority of this house that has signed it; null: none of them. */
export function issuerOf(certificate: X509Certificate, secrets: World["secrets"]): X509Certificate | null {
  const authorities = secrets.flatMap(({ name, certificate: own }) =>
    name === TUNNEL_AUTHORITY_SECRET && own !== undefined ? (readCertificate(own.own) ?? []) : [],
  );
  return authorities.find((by) => certificate.checkIssued(by) && certificate.verify(by.publicKey)) ?? null;
}

/** Whether the private key that goes with both is the same one. */
export function haveOneKey(one: X509Certificate, other: Pick<X509Certificate, "publicKey">): boolean {
  return one.publicKey.equals(other.publicKey);
}
