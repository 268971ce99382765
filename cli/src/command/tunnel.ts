import { documentSchema, documentSummarySchema } from "@holdfast/core/api/document.ts";
import { liveStateSchema } from "@holdfast/core/api/server.ts";
import { initiatorOf, managedServers } from "@holdfast/core/compose/tunnel-ends.ts";
import type { TunnelDocument } from "@holdfast/core/policy/document.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import type { Client } from "../client.ts";
import { EXIT } from "../exit-code.ts";
import { readAll } from "../read-all.ts";
import { verb } from "../verb.ts";
import { plain } from "../view/style.ts";
import { table } from "../view/table.ts";
import { tunnelSheet } from "../view/tunnel-sheet.ts";
import { tunnelAct } from "./tunnel-act.ts";

/** Tunnels are read with the language's own reader; what a section of the vpn domain holds is not asked here. */
const DOMAINS = [{ domain: "vpn", schema: z.unknown(), comesFrom: "tunnel" }] as const;

async function readTunnel(client: Client, name: string): Promise<TunnelDocument> {
  const { text, revision } = await client.call("getDocument", {
    params: { kind: "Tunnel", name },
    answer: documentSchema,
  });
  const [document] = text === null ? [] : parseDocuments(text, { domains: DOMAINS }).documents;
  if (document?.kind === "Tunnel") return document;
  const message =
    text === null ? `Tunnel/${name} was deleted in revision ${revision}.` : `Tunnel/${name} cannot be read.`;
  throw new CliError(EXIT.refused, "cli.no_tunnel", message, "See: holdfast tunnel list");
}

interface Listed {
  readonly name: string;
  readonly revision: number;
  readonly ends: readonly { readonly name: string; readonly server: string | null }[];
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
        ends: body.ends.map((end) => ({ name: end.name, server: end.kind === "managed" ? end.server : null })),
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
            ends.map((end) => `${end.name} (${end.server ?? "external"})`).join(" – "),
            inForceOn
              .map((place) => `${place.server}${place.revision === revision ? "" : ` (r${place.revision})`}`)
              .join(" ") || "nowhere",
          ]),
          "No tunnels yet. Write a document of kind Tunnel, then: holdfast apply -f FILE",
        ),
    };
  },
});

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
            establishedSeconds: z.number(),
            children: z.array(
              z.object({ state: z.string(), bytesIn: z.number(), bytesOut: z.number(), rekeySeconds: z.number() }),
            ),
          }),
        ),
      }),
    ]),
  }),
});

type Status = { readonly server: string; readonly state: string; readonly peer: string; readonly traffic: string };

async function statusOf(client: Client, server: string, tunnel: string): Promise<Status> {
  const status = (state: string, peer = "", traffic = ""): Status => ({ server, state, peer, traffic });
  const live = await client.call("getServerLive", { params: { name: server }, answer: liveStateSchema });
  const domain = live.domains.find((one) => one.domain === "vpn");
  if (domain === undefined) return status("its agent has no vpn module");
  const observed = observedSchema.safeParse(domain.observed);
  if (!observed.success) return status("its agent says nothing of tunnels");
  const { charon } = observed.data.ipsec;
  if (charon.state === "down") return status(`strongSwan does not answer: ${charon.why}`);
  const sa = charon.sas.find(({ name }) => name === `holdfast-${tunnel}`);
  if (sa === undefined) return status("down: nothing is agreed with the other end");
  const [child] = sa.children;
  if (child === undefined) return status(`${sa.state}, without a child`, sa.remoteAddress);
  return status(
    `${sa.state}, ${child.state} for ${sa.establishedSeconds} s, new keys in ${child.rekeySeconds} s`,
    sa.remoteAddress,
    `${child.bytesIn} bytes in, ${child.bytesOut} out`,
  );
}

const show = verb({
  brief: "A tunnel as it is now, asked of both of its servers",
  example: "tunnel show seoul-busan",
  operands: ["tunnel"],
  run: async (client, [name = ""]) => {
    const tunnel = await readTunnel(client, name);
    const status: Status[] = [];
    for (const server of managedServers(tunnel)) status.push(await statusOf(client, server, name));
    const begins = initiatorOf(tunnel.body.ends).name;
    const value = { name, begins, suite: tunnel.body.suite, clearText: tunnel.body.clearText, status };
    return {
      value,
      text: (context) => {
        const rows = status.map((one) => [one.server, one.state, one.peer, one.traffic].map(plain));
        return `${name}: ${begins} begins, ${value.suite}, clear text: ${value.clearText}\n\n${table(context, ["server", "state", "other end", "traffic"], rows, "No end of it is a server of ours.")}`;
      },
    };
  },
});

const sheet = verb({
  brief: "What the administrator of an external end has to set",
  example: "tunnel sheet acme-vpn",
  operands: ["tunnel"],
  run: async (client, [name = ""]) => {
    const tunnel = await readTunnel(client, name);
    return { value: { name, sheet: tunnelSheet(tunnel) }, text: () => tunnelSheet(tunnel) };
  },
});

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
  routes: { list, show, sheet, initiate, terminate, rekey },
  docs: {
    brief: "Tunnels: list, show both ends as they are now, begin, end, new keys, the sheet for the other administrator",
  },
});
