import { type KeyObject, X509Certificate } from "node:crypto";
import type { certifyPersonSchema, lookAtRequestSchema, SeenRequest } from "@holdfast/core/api/certificate.ts";
import type { z } from "zod";
import type { Caller } from "../api/caller.ts";
import { inTransaction } from "../api/in-transaction.ts";
import { notFound, refuse } from "../api/refused.ts";
import { readPersonRequest } from "../authority/person-request.ts";
import { issueForPerson } from "../authority/tunnel-authority.ts";
import type { House } from "../house.ts";
import { authorityOf } from "./issue-certificates.ts";
import { haveOneKey, peopleCertificates, type PlacedCertificate, readCertificate } from "./people-certificates.ts";
import { assertReach, maySee } from "./scope.ts";
import { labelsOf, loadWorld, type World, type WorldServer } from "./world.ts";

export interface CertifiedPerson {
  /** The base64 of its DER. */
  readonly certificate: string;
  readonly authority: string;
}

/** What this request says, and what would stand in the way, before anything is certified. Nothing is issued, written or said in the audit log. */
export async function lookAtPersonRequest(
  house: House,
  caller: Caller,
  { server, request }: z.output<typeof lookAtRequestSchema>,
): Promise<SeenRequest> {
  const world = await loadWorld(house.database, house.documents);
  calledServer(caller, world, server);
  const read = await readPersonRequest(request);
  if (!read.ok) {
    const { flaw: kind, message, says } = read.error;
    return { says, flaw: { kind, message }, holder: null };
  }
  const [holder] = holdersOf(world, read.value.key);
  return {
    says: read.value.says,
    flaw: null,
    holder: holder === undefined ? null : { tunnel: holder.tunnel, person: holder.person, identity: holder.identity },
  };
}

/**
 * A certificate for the key in this request. It opens nothing by itself: who is let in is said by a document that names it, which is a change like any other.
 * So nothing is kept here but the entry in the audit log.
 */
export async function certifyPerson(
  house: House,
  caller: Caller,
  { server: name, tunnel, person, identity, request }: z.output<typeof certifyPersonSchema>,
): Promise<CertifiedPerson> {
  const read = await readPersonRequest(request);
  if (!read.ok) return refuse("certificate.request", `request: ${read.error.message}.`);
  const { key } = read.value;
  return inTransaction(house, async (tx) => {
    const world = await loadWorld(tx, house.documents);
    const server = calledServer(caller, world, name);
    const holder = holdersOf(world, key).find((one) => one.identity.toLowerCase() !== identity.toLowerCase());
    if (holder !== undefined)
      refuse(
        "certificate.key_of_other",
        `request: its key is that of ${holder.person} (${holder.identity}) in Tunnel/${holder.tunnel}.`,
      );
    const authority = await authorityOf(house, tx, caller);
    const certificate = await issueForPerson(authority, { tunnel, identity, key }, house.nowMs());
    const issued = new X509Certificate(Buffer.from(certificate, "base64"));
    tx.audit({
      ...caller.actor,
      action: "certificate.issued",
      object: `tunnel/${tunnel}/${person}`,
      serverId: server.id,
      new: { identity, serial: issued.serialNumber.toLowerCase(), not_after: issued.validToDate.toISOString() },
      resultCode: "ok",
    });
    return { certificate, authority: authority.certificate };
  });
}

/** The server by this name, whose tunnels the caller may edit. */
function calledServer(caller: Caller, world: World, name: string): WorldServer {
  const server = world.servers.find((one) => one.name === name);
  if (server === undefined || !maySee(caller, world, server)) return notFound(`server ${name}`);
  assertReach(caller, "edit", world, [{ server, labelsAfter: labelsOf(world, server), domains: ["vpn"] }]);
  return server;
}

/** Whose certificates are for this very key. */
function holdersOf(world: World, key: KeyObject): readonly PlacedCertificate[] {
  return peopleCertificates(world).filter(({ body }) => {
    const certificate = readCertificate(body);
    return certificate !== null && haveOneKey(certificate, { publicKey: key });
  });
}
