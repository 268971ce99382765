import { type ListedPersonCertificate, listedPersonCertificateSchema } from "@holdfast/core/api/certificate.ts";
import { documentSummarySchema } from "@holdfast/core/api/document.ts";
import { secretSchema } from "@holdfast/core/api/secret.ts";
import { liveStateSchema } from "@holdfast/core/api/server.ts";
import { initiatorOf, managedServers } from "@holdfast/core/compose/tunnel-ends.ts";
import { secretsOf } from "@holdfast/core/compose/tunnel-key.ts";
import type { TunnelDocument } from "@holdfast/core/policy/document.ts";
import { nameOfPerson } from "@holdfast/core/policy/tunnel-people.ts";
import { personSheetOf, type TunnelSheet, tunnelSheetOf } from "@holdfast/core/policy/tunnel-sheet.ts";
import { buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import type { Client } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { readAll } from "../read-all.ts";
import { readTunnel } from "../read-tunnel.ts";
import { verb } from "../verb.ts";
import { plain } from "../view/style.ts";
import { table } from "../view/table.ts";
import { tunnelSheet } from "../view/tunnel-sheet.ts";
import { tunnelAct } from "./tunnel-act.ts";
import { certify } from "./tunnel-certify.ts";

interface Listed {
  readonly name: string;
  readonly revision: number;
  readonly ends: readonly {
    readonly name: string;
    readonly server: string | null;
    /** How many may come in; null where the end is one machine. */
    readonly people: number | null;
  }[];
  readonly inForceOn: readonly { readonly server: string; readonly revision: number }[];
}

const list = verb({
  brief: "Tunnels with their ends and where they are in force",
  example: "tunnel list",
  run: async (client) => {
    const items = await readAll(client, "listDocuments", documentSummarySchema);
    const value: Listed[] = [];
    for (const item of items.filter(({ kind, deleted }) => kind === "Tunnel" && !deleted)) {
      const { body } = await readTunnel(client, item.name);
      value.push({
        name: item.name,
        revision: item.revision,
        ends: body.ends.map((end) => ({
          name: end.name,
          server: end.kind === "managed" ? end.server : null,
          people: end.kind === "people" ? end.people.filter(({ proof }) => proof !== null).length : null,
        })),
        inForceOn: item.inForceOn,
      });
    }
    return {
      value,
      text: (context) =>
        table(
          context,
          ["tunnel", "revision", "ends", "in force on"],
          value.map(({ name, revision, ends, inForceOn }) => [
            name,
            String(revision),
            ends.map((end) => `${end.name} (${whatIs(end)})`).join(" – "),
            inForceOn
              .map((place) => `${place.server}${place.revision === revision ? "" : ` (r${place.revision})`}`)
              .join(" ") || "nowhere",
          ]),
          "No tunnels yet. Write a document of kind Tunnel, then: holdfast apply -f FILE",
        ),
    };
  },
});

function whatIs({ server, people }: Listed["ends"][number]): string {
  if (people !== null) return people === 1 ? "1 person" : `${people} people`;
  return server ?? "external";
}

/** As much of what a server observes as is shown here; an agent of another version may say more, or less. */
const observedSchema = z.object({
  ipsec: z.object({
    charon: z.union([
      z.object({ state: z.literal("down"), why: z.string() }),
      z.object({
        state: z.literal("up"),
        sas: z.array(
          z.object({
            name: z.string(),
            state: z.string(),
            remoteAddress: z.string(),
            virtualAddresses: z.array(z.string()).optional(),
            establishedSeconds: z.number(),
            children: z.array(
              z.object({ state: z.string(), bytesIn: z.number(), bytesOut: z.number(), rekeySeconds: z.number() }),
            ),
          }),
        ),
        pools: z.array(z.object({ name: z.string(), size: z.number(), online: z.number() })).optional(),
      }),
    ]),
  }),
});

type Charon = Extract<z.output<typeof observedSchema>["ipsec"]["charon"], { readonly state: "up" }>;
type Sa = Charon["sas"][number];
/** `person` of a tunnel of people; their own address is in `has`. */
type Status = {
  readonly server: string;
  readonly person: string | null;
  readonly state: string;
  readonly has: string;
  readonly peer: string;
  readonly traffic: string;
};

/** What one end says of a tunnel: one line, or of people one for each who may come in. */
async function statusOf(client: Client, server: string, tunnel: TunnelDocument): Promise<readonly Status[]> {
  const status = (state: string, more: Partial<Status> = {}): Status => ({
    server,
    person: null,
    state,
    has: "",
    peer: "",
    traffic: "",
    ...more,
  });
  const live = await client.call("getServerLive", { params: { name: server }, answer: liveStateSchema });
  const domain = live.domains.find((one) => one.domain === "vpn");
  if (domain === undefined) return [status("its agent has no vpn module")];
  const observed = observedSchema.safeParse(domain.observed);
  if (!observed.success) return [status("its agent says nothing of tunnels")];
  const { charon } = observed.data.ipsec;
  if (charon.state === "down") return [status(`strongSwan does not answer: ${charon.why}`)];
  const people = tunnel.body.ends.find((end) => end.kind === "people");
  const found = (name: string): Sa | undefined => charon.sas.find((sa) => sa.name === `holdfast-${name}`);
  if (people === undefined) {
    const sa = found(tunnel.name);
    return [sa === undefined ? status("down: nothing is agreed with the other end") : status(stateOf(sa), saidOf(sa))];
  }
  return people.people.map(({ name, proof }) => {
    const sa = found(nameOfPerson(tunnel.name, name));
    if (sa === undefined) return status(proof === null ? "revoked" : "not connected", { person: name });
    const has = sa.virtualAddresses?.join(", ") ?? "";
    const state = has === "" ? `${sa.state}, without an address: all are given out` : stateOf(sa);
    return status(state, { person: name, has, ...saidOf(sa) });
  });
}

function stateOf({ state, establishedSeconds, children: [child] }: Sa): string {
  if (child === undefined) return `${state}, without a child`;
  return `${state}, ${child.state} for ${establishedSeconds} s, new keys in ${child.rekeySeconds} s`;
}

function saidOf({ remoteAddress, children: [child] }: Sa): Pick<Status, "peer" | "traffic"> {
  const traffic = child === undefined ? "" : `${child.bytesIn} bytes in, ${child.bytesOut} out`;
  return { peer: remoteAddress, traffic };
}

const show = verb({
  brief: "A tunnel as it is now, asked of its servers; where an end is people, who is connected",
  example: "tunnel show seoul-busan",
  operands: ["tunnel"],
  run: async (client, [name = ""]) => {
    const tunnel = await readTunnel(client, name);
    const status: Status[] = [];
    for (const server of managedServers(tunnel)) status.push(...(await statusOf(client, server, tunnel)));
    const begins = initiatorOf(tunnel.body.ends).name;
    const isPeople = tunnel.body.ends.some(({ kind }) => kind === "people");
    const value = { name, begins, suite: tunnel.body.suite, clearText: tunnel.body.clearText, status };
    return {
      value,
      text: (context) => {
        const head = isPeople
          ? ["person", "state", "has", "calls from", "traffic"]
          : ["server", "state", "other end", "traffic"];
        const rows = status.map((one) =>
          (isPeople
            ? [one.person ?? one.server, one.state, one.has, one.peer, one.traffic]
            : [one.server, one.state, one.peer, one.traffic]
          ).map(plain),
        );
        const servers = isPeople ? ` at ${managedServers(tunnel).join(", ")}` : "";
        return `${name}${servers}: ${begins} begins, ${value.suite}, clear text: ${value.clearText}\n\n${table(context, head, rows, "No end of it is a server of ours.")}`;
      },
    };
  },
});

const sheet = verb({
  brief: "What the administrator of an external end has to set, or a person on their device",
  example: "tunnel sheet acme-vpn, or: holdfast tunnel sheet remote-staff alice",
  operands: ["tunnel"],
  last: "person",
  run: async (client, [name = "", person]) => {
    const tunnel = await readTunnel(client, name);
    const text = tunnelSheet(tunnel, sheetFor(tunnel, person), await authoritiesFor(client, tunnel));
    return { value: { name, ...(person === undefined ? {} : { person }), sheet: text }, text: () => text };
  },
});

/** Of the certificates that our ends have in this revision. */
async function authoritiesFor(client: Client, tunnel: TunnelDocument): Promise<readonly string[]> {
  if (tunnel.body.key.from !== "certificate") return [];
  const named = secretsOf(tunnel);
  const versions = (await readAll(client, "listSecrets", secretSchema)).flatMap(({ name, versions: all }) =>
    all.filter(({ version }) => named.some((one) => one.name === name && one.version === version)),
  );
  return [...new Set(versions.flatMap(({ certificate }) => certificate?.authorityPem ?? []))];
}

const certificates = verb({
  brief:
    "Certificates that the ends and the people of tunnels have, until when they are good, and whether their authority has signed them",
  example: "tunnel certificates",
  run: async (client) => {
    const value = (await readAll(client, "listSecrets", secretSchema)).flatMap(({ name, versions, usedBy }) =>
      versions.flatMap(({ version, certificate, dueAt }) => {
        const uses = usedBy.filter((use) => use.version === version);
        return certificate === null ? [] : [{ name, version, certificate, dueAt, usedBy: uses }];
      }),
    );
    const people = await readAll(client, "listCertifiedPeople", listedPersonCertificateSchema);
    return {
      value: { ends: value, people },
      text: (context) =>
        `${table(
          context,
          ["certificate", "version", "for", "issued by", "ends", "chain", "named by"],
          value.map(({ name, version, certificate, dueAt, usedBy }) => [
            name,
            String(version),
            plain(certificate.subject),
            plain(certificate.issuer),
            `${certificate.notAfter.slice(0, 10)}${standing(certificate.notAfter, dueAt, context.now())}`,
            certificate.isChained ? "complete" : "BROKEN",
            [...new Set(usedBy.map(({ document }) => document))].join(" ") || "nobody",
          ]),
          "No certificates yet. Write auth: { certificate: generated } into a Tunnel.",
        )}${people.length === 0 ? "" : `\n${peopleTable(context, people)}`}`,
    };
  },
});

function peopleTable(context: Context, people: readonly ListedPersonCertificate[]): string {
  return table(
    context,
    ["person", "tunnel", "for", "issued by", "ends", "chain", "in force"],
    people.map(({ person, tunnel, identity, issuer, notAfter, dueAt, isChained, as }) => [
      person,
      tunnel,
      plain(identity),
      plain(issuer),
      `${notAfter.slice(0, 10)}${standing(notAfter, dueAt, context.now())}`,
      isChained ? "complete" : "BROKEN",
      as.includes("in_force") ? (as.includes("head") ? "yes" : "yes, and another one is written") : "not yet",
    ]),
    "",
  );
}

function standing(notAfter: string, dueAt: string | null, nowMs: number): string {
  if (Date.parse(notAfter) <= nowMs) return " ENDED";
  return dueAt !== null && Date.parse(dueAt) <= nowMs ? " DUE" : "";
}

function sheetFor({ name, body }: TunnelDocument, person: string | undefined): TunnelSheet {
  const people = body.ends.find((end) => end.kind === "people");
  const found = person === undefined ? tunnelSheetOf(body) : personSheetOf(name, body, person);
  if (found !== null) return found;
  const named = people?.people.map((one) => (one.proof === null ? `${one.name} (revoked)` : one.name)) ?? [];
  const message =
    person === undefined
      ? `The other end of ${name} is people, and each has a sheet of their own.`
      : `${person} may not come in by ${name}.`;
  throw new CliError(EXIT.refused, "cli.no_person", message, `There are: ${named.join(", ") || "no people"}.`);
}

const initiate = tunnelAct(
  "initiate",
  "Begin a tunnel that is in force and down",
  "Only the end that knows the other one's address can begin it. It waits for the whole key exchange and says what the other end answered.",
);
const terminate = tunnelAct(
  "terminate",
  "End what is agreed for a tunnel, so that it is agreed anew",
  "The end that begins does so again by itself within half a minute: to keep a tunnel down, take it out of force by a change.",
);
const rekey = tunnelAct(
  "rekey",
  "Replace the keys of a tunnel now",
  "Nothing is interrupted. It shows whether the ends can agree on new keys, before the old ones run out.",
);

export const tunnelRoutes = buildRouteMap({
  routes: { list, show, sheet, certify, certificates, initiate, terminate, rekey },
  docs: {
    brief:
      "Tunnels: list, show both ends as they are now, begin, end, new keys, certificates, the sheet for the other administrator, certificates for people",
  },
});
