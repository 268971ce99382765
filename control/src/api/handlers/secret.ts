import { X509Certificate } from "node:crypto";
import type { Secret, SecretCertificateView } from "@holdfast/core/api/secret.ts";
import { parseItemName } from "@holdfast/core/policy/name.ts";
import { dueMs, type RotationRule } from "@holdfast/core/secret/rotation.ts";
import { isSecretOfEnd, TUNNEL_AUTHORITY_SECRET, tunnelOfSecret } from "@holdfast/core/secret/secret-file.ts";
import type { House } from "../../house.ts";
import { rotationRules } from "../../planning/key-findings.ts";
import { hiddenServers } from "../../planning/places.ts";
import { rotateSecret } from "../../planning/rotate-secret.ts";
import { assertEverywhere } from "../../planning/scope.ts";
import { type SecretUse, secretUses } from "../../planning/secret-uses.ts";
import type { Queryable } from "../../store/database.ts";
import { deleteSecret, type ListedVersion, listVersions, lockSecret } from "../../store/secrets.ts";
import { transaction } from "../../store/transaction.ts";
import { assertAdministers } from "../administers.ts";
import { keyOf, pageAfter, pageOf } from "../cursor.ts";
import { DONE, type Handlers } from "../handler.ts";
import { notFound, refuse } from "../refused.ts";
import { changeDetail } from "../view/change-view.ts";

type SecretRoutes = "listSecrets" | "putSecret" | "deleteSecret" | "rotateSecret" | "rekeySecrets";

/** Secrets are written and never read: no answer of these holds a value, nor does what the audit log keeps. */
export function secretHandlers(house: House): Pick<Handlers, SecretRoutes> {
  const { database } = house;
  return {
    async listSecrets({ caller, query }) {
      const after = keyOf(query.cursor, (key) => /^[a-z0-9.-]{1,100}$/.test(key));
      const names = [...(await secretsBy(house, database)).values()];
      const page = pageAfter(names, after, query.limit, ({ name }) => name);
      const hidden = await hiddenServers(house, caller);
      return {
        value: pageOf(
          page,
          query.limit,
          ({ name }) => name,
          (one) => shown(one, hidden),
        ),
      };
    },

    async putSecret({ caller, params, body, ifMatch }) {
      const { name } = params;
      if (tunnelOfSecret(name) !== null) refuse("secret.generated", `${name} is a key that Holdfast makes itself.`);
      const parsed = parseItemName(name);
      if (!parsed.ok) refuse("request.invalid", parsed.error);
      assertEverywhere(caller, "edit");
      const done = await transaction(database, async (tx) => {
        // Held until the end, so that two writers are one after the other; a secret that does not exist yet is won by its first version.
        await lockSecret(tx, name);
        const before = (await listVersions(tx)).filter((one) => one.name === name);
        const newest = before.at(-1)?.version ?? 0;
        if (ifMatch !== String(newest)) refuse("etag.moved", whoMoved(name, before));
        const added = await house.secrets.add(
          tx,
          { name, version: newest + 1, value: body.value, boundTo: "", madeBy: caller.userId },
          caller.actor,
        );
        const same = before.find((one) => one.fingerprint === added.fingerprint);
        if (same !== undefined) refuse("secret.same_value", `Version ${same.version} of ${name} is this very value.`);
      });
      if (!done.ok) throw done.error;
      const value = (await secretsBy(house, database)).get(name) ?? notFound(`secret ${name}`);
      return { value: shown(value, await hiddenServers(house, caller)), etag: value.etag };
    },

    async deleteSecret({ caller, params, ifMatch }) {
      const { name } = params;
      assertEverywhere(caller, "edit");
      if (name === TUNNEL_AUTHORITY_SECRET)
        refuse("secret.generated", `${name} is the key of the authority that issues the certificates of tunnels.`);
      const hidden = await hiddenServers(house, caller);
      const done = await transaction(database, async (tx) => {
        const row = (await lockSecret(tx, name)) ?? notFound(`secret ${name}`);
        const secret = (await secretsBy(house, tx)).get(name) ?? notFound(`secret ${name}`);
        if (ifMatch !== secret.etag) refuse("etag.moved", `${name} has ${secret.etag} versions now.`);
        if (secret.usedBy.length > 0) {
          const users = [...new Set(shown(secret, hidden).usedBy.map((use) => use.document))];
          const others =
            secret.usedBy.length > shown(secret, hidden).usedBy.length ? ["servers that you may not see"] : [];
          refuse("secret.in_use", `${name} is named by ${[...users, ...others].join(", ")}.`);
        }
        await deleteSecret(tx, row, caller.actor);
      });
      if (!done.ok) throw done.error;
      return DONE;
    },

    async rotateSecret({ caller, params, body }) {
      const id = await rotateSecret(house, caller, params.name, body);
      const value = await changeDetail(house, caller, id);
      return { value, etag: value.etag };
    },

    async rekeySecrets({ caller }) {
      // The key is the house's.
      assertAdministers(caller);
      return { value: await house.secrets.rekey(database, caller.actor) };
    },
  };
}

async function secretsBy(house: House, database: Queryable): Promise<ReadonlyMap<string, Secret>> {
  const versions = await listVersions(database);
  const uses = await secretUses(house, database);
  const rules = await rotationRules(house, database);
  const names = [...new Set(versions.map(({ name }) => name))].toSorted();
  return new Map(
    names.map((name) => [
      name,
      view(
        name,
        versions.filter((one) => one.name === name),
        uses,
        rules.filter(
          ({ secret, tunnel }) => secret === name || (isSecretOfEnd(name) && tunnelOfSecret(name) === tunnel),
        ),
      ),
    ]),
  );
}

/** Without the servers that the reader may not see; tunnels are seen by everybody. */
function shown(secret: Secret, hidden: ReadonlySet<string>): Secret {
  const isHidden = (document: string): boolean =>
    document.startsWith("Server/") && hidden.has(document.slice("Server/".length));
  return { ...secret, usedBy: secret.usedBy.filter((use) => !isHidden(use.document)) };
}

function view(
  name: string,
  versions: readonly ListedVersion[],
  uses: readonly SecretUse[],
  rules: readonly RotationRule[],
): Secret {
  return {
    name,
    kind: tunnelOfSecret(name) === null && name !== TUNNEL_AUTHORITY_SECRET ? "written" : "generated",
    versions: versions.map((one) => ({
      version: one.version,
      fingerprint: one.fingerprint,
      madeBy: one.made_by_name,
      madeAt: one.made_at.toISOString(),
      dueAt: dueAt(one, rules),
      certificate: certificateOf(one),
    })),
    usedBy: uses.filter((use) => use.secret === name).map(({ document, version, as }) => ({ document, version, as })),
    etag: String(versions.at(-1)?.version ?? 0),
  };
}

function certificateOf(row: ListedVersion): SecretCertificateView | null {
  if (row.certificate === null) return null;
  const read = new X509Certificate(Buffer.from(row.certificate, "base64"));
  const by = new X509Certificate(Buffer.from(row.authority ?? row.certificate, "base64"));
  return {
    subject: oneLine(read.subject),
    issuer: oneLine(read.issuer),
    serial: read.serialNumber.toLowerCase(),
    fingerprint: read.fingerprint256.replaceAll(":", "").toLowerCase(),
    notBefore: read.validFromDate.toISOString(),
    notAfter: read.validToDate.toISOString(),
    isChained: read.checkIssued(by) && read.verify(by.publicKey),
    pem: read.toString(),
    authorityPem: by.toString(),
  };
}

/** Node writes a name in lines. */
function oneLine(name: string): string {
  return name.split("\n").join(", ");
}

/** By the strictest of those that name this version. */
function dueAt({ version, made_at }: ListedVersion, rules: readonly RotationRule[]): string | null {
  const times = rules.filter((rule) => rule.version === version).map((rule) => dueMs(made_at.getTime(), rule));
  return times.length === 0 ? null : new Date(Math.min(...times)).toISOString();
}

function whoMoved(name: string, versions: readonly ListedVersion[]): string {
  const newest = versions.at(-1);
  if (newest === undefined) return `There is no ${name} yet; say If-Match: "0" to make it.`;
  return `${name} has version ${newest.version}, written by ${newest.made_by_name} at ${newest.made_at.toISOString()}.`;
}
