import { X509Certificate } from "node:crypto";
import type { certifyPersonSchema } from "@holdfast/core/api/certificate.ts";
import type { z } from "zod";
import type { Caller } from "../api/caller.ts";
import { inTransaction } from "../api/in-transaction.ts";
import { notFound, refuse } from "../api/refused.ts";
import { readPersonRequest } from "../authority/person-request.ts";
import { issueForPerson } from "../authority/tunnel-authority.ts";
import type { House } from "../house.ts";
import { authorityOf } from "./issue-certificates.ts";
import { haveOneKey, peopleCertificates, readCertificate } from "./people-certificates.ts";
import { assertReach, maySee } from "./scope.ts";
import { labelsOf, loadWorld } from "./world.ts";

export interface CertifiedPerson {
  /** The base64 of its DER. */
  readonly certificate: string;
  readonly authority: string;
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
  if (!read.ok) return refuse("certificate.request", `request: ${read.error}.`);
  const { key } = read.value;
  return inTransaction(house, async (tx) => {
    const world = await loadWorld(tx, house.documents);
    const server = world.servers.find((one) => one.name === name);
    if (server === undefined || !maySee(caller, world, server)) return notFound(`server ${name}`);
    assertReach(caller, "edit", world, [{ server, labelsAfter: labelsOf(world, server), domains: ["vpn"] }]);
    const holder = peopleCertificates(world).find((one) => {
      const other = one.identity.toLowerCase() === identity.toLowerCase() ? null : readCertificate(one.body);
      return other !== null && haveOneKey(other, { publicKey: key });
    });
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
