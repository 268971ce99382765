import { holdsOn } from "@holdfast/core/access/grant.ts";
import { type effectiveConfigSchema, foreignSchema, type liveStateSchema } from "@holdfast/core/api/server.ts";
import { isUuid } from "@holdfast/core/base/id.ts";
import { DOMAINS } from "@holdfast/core/domain.ts";
import { nativeTextOf } from "@holdfast/domains/registry.ts";
import type { z } from "zod";
import { newSecret } from "../../account/secret.ts";
import { approveEnrolment } from "../../gateway/enrolment.ts";
import { fingerprintOf } from "../../gateway/peer.ts";
import { toldFloor } from "../../gateway/told-floor.ts";
import type { House } from "../../house.ts";
import { actOnTunnel } from "../../planning/act-on-tunnel.ts";
import { composer } from "../../planning/compose-for.ts";
import { createServer } from "../../planning/create-server.ts";
import { explainPacket } from "../../planning/explain.ts";
import { loadPlaces, reachByName, seenHouse, type ServerPlace } from "../../planning/places.ts";
import { releaseServer } from "../../planning/release-server.ts";
import { loadWorld } from "../../planning/world.ts";
import { insertEnrolmentToken, listKeys } from "../../store/enrolment.ts";
import { newId } from "../../store/new-id.ts";
import { getServer, pause, resume, unlock } from "../../store/servers.ts";
import { type Transaction, transaction } from "../../store/transaction.ts";
import { secretSha256 } from "../credential.ts";
import { keyOf, pageAfter, pageOf } from "../cursor.ts";
import { DONE, type Handlers } from "../handler.ts";
import type { PacketStreams } from "../packet-stream.ts";
import { notFound, refuse } from "../refused.ts";
import { listApplyDetails } from "../store/apply-list.ts";
import { applySummary } from "../view/apply-view.ts";
import { floorView, serverDetail, serverSummaries, waitsForApproval } from "../view/server-view.ts";

type ServerRoutes =
  | "listServers"
  | "createServer"
  | "getServer"
  | "enrolServer"
  | "approveServerKey"
  | "pauseServer"
  | "resumeServer"
  | "unlockServer"
  | "releaseServer"
  | "getServerConfig"
  | "getServerLive"
  | "listServerApplies"
  | "watchPackets"
  | "actOnTunnel"
  | "explainPacket";

/** S2: long enough to walk to a server, short enough that a forgotten one is worth nothing. */
const ENROLMENT_SECONDS = 3_600;

export function serverHandlers(house: House, packets: PacketStreams): Pick<Handlers, ServerRoutes> {
  const { database } = house;
  const run = async <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => {
    const done = await transaction(database, body);
    if (done.ok) return done.value;
    if (done.error.code === "store.wrong_state") refuse("server.not_now", done.error.message);
    throw done.error;
  };
  return {
    async listServers({ caller, query }) {
      const label = query.label === undefined ? null : labelIn(query.label);
      const places = (await loadPlaces(house)).filter(
        (place) =>
          holdsOn(caller.grants, "view", place) &&
          (query.name === undefined || place.name === query.name) &&
          (label === null || (Object.hasOwn(place.labels, label.key) && place.labels[label.key] === label.value)),
      );
      const page = pageAfter(
        places,
        keyOf(query.cursor, (key) => key !== ""),
        query.limit,
        (place) => place.name,
      );
      const seen = await seenHouse(house, caller);
      const summaries = new Map((await serverSummaries(seen, page.slice(0, query.limit))).map((one) => [one.id, one]));
      const { nextCursor } = pageOf(
        page,
        query.limit,
        (place) => place.name,
        (place) => place,
      );
      // A released server is no longer in the list of those that are managed.
      return {
        value: { items: page.slice(0, query.limit).flatMap((place) => summaries.get(place.id) ?? []), nextCursor },
      };
    },

    async createServer({ caller, body }) {
      const detail = await serverDetail(house, await createServer(house, caller, body.name, body.labels));
      return { value: detail, etag: detail.etag };
    },

    async getServer({ caller, params }) {
      const place = await reachByName(house, caller, "view", params.name);
      const detail = await serverDetail(await seenHouse(house, caller), place);
      return { value: detail, etag: detail.etag };
    },

    async enrolServer({ caller, params }) {
      const place = await reachByName(house, caller, "admin", params.name);
      const secret = newSecret();
      const expiresAt = await run(async (tx) => {
        const server = await getServer(tx, place.id);
        if (server === undefined || server.enrolment === "released")
          refuse("server.not_now", `${place.name} has been released; its name is never used again.`);
        const row = await insertEnrolmentToken(
          tx,
          {
            id: newId<string>(),
            serverId: place.id,
            secretSha256: secretSha256(secret),
            createdBy: caller.userId,
            seconds: ENROLMENT_SECONDS,
          },
          caller.actor,
        );
        return row.expires_at;
      });
      const { dial, caFingerprint } = house.enrolment;
      return {
        value: {
          token: secret,
          expiresAt: expiresAt.toISOString(),
          caFingerprint,
          command: `holdfast-agent enroll --control ${dial} --ca-fingerprint ${caFingerprint} --token ${secret}`,
        },
      };
    },

    async approveServerKey({ caller, params, body }) {
      const place = await reachByName(house, caller, "admin", params.name);
      await run(async (tx) => {
        const pending = (await listKeys(tx, place.id)).filter(waitsForApproval);
        if (pending.length === 0) refuse("server.not_now", `No key of ${place.name} waits for approval.`);
        const key = pending.find((one) => sameFingerprint(fingerprintOf(one.tls_key_sha256), body.fingerprint));
        if (key === undefined)
          refuse("server.key_other", `The key that waits for ${place.name} has another fingerprint.`);
        await approveEnrolment(tx, key.tls_key_sha256, caller.userId, caller.actor);
      });
      return DONE;
    },

    async pauseServer({ caller, params, body }) {
      const place = await reachByName(house, caller, "apply", params.name);
      await run((tx) => pause(tx, place.id, body.seconds, body.reason, caller.actor));
      return DONE;
    },

    async resumeServer({ caller, params }) {
      const place = await reachByName(house, caller, "apply", params.name);
      await run((tx) => resume(tx, place.id, caller.actor));
      return DONE;
    },

    async unlockServer({ caller, params, body }) {
      const place = await reachByName(house, caller, "apply", params.name);
      const server = (await getServer(database, place.id)) ?? notFound(`server ${place.name}`);
      if (server.locked_code === null) refuse("server.not_now", `${place.name} is not locked.`);
      // The server keeps a lock of its own. While it is away only ours can be released; it says its own again when it comes back.
      if (server.session_instance !== null) {
        const released = await house.agents.release(place.id, server.fence, body.reason, caller.actor.actor);
        if (released.kind === "unreachable")
          house.log.warn(
            { server_id: place.id, result_code: "server.unreachable" },
            `the server's own lock was not released: ${released.why}`,
          );
      }
      await run((tx) => unlock(tx, place.id, body.reason, caller.actor));
      return DONE;
    },

    async releaseServer({ caller, params, body }) {
      await releaseServer(house, caller, await reachByName(house, caller, "admin", params.name), body.reason);
      return DONE;
    },

    async getServerConfig({ caller, params }) {
      return { value: await effectiveConfig(house, await reachByName(house, caller, "view", params.name)) };
    },

    async getServerLive({ caller, params }) {
      return { value: await liveState(house, await reachByName(house, caller, "view", params.name)) };
    },

    async listServerApplies({ caller, params, query }) {
      const place = await reachByName(house, caller, "view", params.name);
      const before = keyOf(query.cursor, isUuid) as Parameters<typeof listApplyDetails>[1]["before"];
      const seen = await seenHouse(house, caller);
      const rows = await listApplyDetails(seen.database, {
        serverId: place.id,
        visible: null,
        before,
        limit: query.limit + 1,
      });
      return { value: pageOf(rows, query.limit, (row) => row.id, applySummary) };
    },

    async watchPackets({ caller, params, reply }) {
      const place = await reachByName(house, caller, "watch", params.name);
      if (!holdsOn(caller.grants, "watch", place, ["firewall"]))
        refuse("access.out_of_scope", `You do not have the permission watch on the firewall of ${place.name}.`);
      await packets.open(caller, place, reply);
      return { value: undefined };
    },

    async actOnTunnel({ caller, params, body }) {
      const place = await reachByName(house, caller, "apply", params.name);
      return { value: await actOnTunnel(house, caller, place, params.tunnel, body) };
    },

    async explainPacket({ caller, params, body }) {
      const place = await reachByName(house, caller, "view", params.name);
      return { value: await explainPacket(house, place.id, body) };
    },
  };
}

async function effectiveConfig(house: House, place: ServerPlace): Promise<z.input<typeof effectiveConfigSchema>> {
  const world = await loadWorld(house.database, house.documents);
  const server = world.servers.find((one) => one.id === place.id) ?? notFound(`server ${place.name}`);
  const { composed, config } = composer(house, world, [])(server);
  if (config === null || composed.config === null)
    refuse("change.invalid", `What is in force on ${place.name} can no longer be composed.`, {
      findings: composed.findings,
    });
  const origin = ({ document, revision, layer, path, line }: (typeof composed.provenance)[number]["from"]) => ({
    document,
    revision,
    layer,
    path,
    ...(line === undefined ? {} : { line }),
  });
  const { domains } = composed.config;
  return {
    digest: config.digest,
    config: composed.config,
    provenance: composed.provenance.map((entry) => ({
      item: entry.item,
      from: origin(entry.from),
      beat: entry.beat.map(({ origin: loser, value }) => ({
        document: loser.document,
        revision: loser.revision,
        layer: loser.layer,
        value,
      })),
    })),
    native: Object.fromEntries(
      DOMAINS.flatMap((name) => {
        const section = domains[name];
        const text = section === undefined ? null : nativeTextOf(name, section);
        return text === null ? [] : [[name, text]];
      }),
    ),
  };
}

async function liveState(house: House, place: ServerPlace): Promise<z.input<typeof liveStateSchema>> {
  const asked = await house.agents.state(place.id);
  if (asked.kind === "unreachable") refuse("server.unreachable", `${place.name} cannot be asked now: ${asked.why}.`);
  const state = asked.value;
  const { open } = state;
  return {
    at: new Date(house.nowMs()).toISOString(),
    generation: Number(state.generation),
    bootId: state.bootId,
    open:
      open === undefined
        ? null
        : {
            requestId: open.requestId,
            phase: open.phase,
            lastStep: open.lastStep,
            remainingMs: Number(open.remainingMs),
            code: open.code,
            message: open.message,
          },
    domains: state.domains.map((one) => {
      const { domain, observedJson, foreignJson, liveDigest, confirmedDigest, drift, differences, error } = one;
      const floor = toldFloor(one);
      return {
        domain,
        observed: jsonOf(observedJson),
        foreign: foreignOf(foreignJson),
        liveDigest,
        confirmedDigest,
        drift,
        differences: differences.map(({ path, expected, found }) => ({ path, expected, found })),
        floor: floor === null ? null : floorView(floor),
        error,
      };
    }),
  };
}

/** What an agent of another age says otherwise is not told at all. */
function foreignOf(text: string): z.infer<typeof foreignSchema> | null {
  const read = foreignSchema.safeParse(jsonOf(text));
  return read.success ? read.data : null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text === "" ? "null" : text);
  } catch {
    return null;
  }
}

function labelIn(text: string): { readonly key: string; readonly value: string } {
  const at = text.indexOf("=");
  if (at < 1) refuse("request.invalid", "label is written key=value.");
  return { key: text.slice(0, at), value: text.slice(at + 1) };
}

/** People type it with or without its spaces, dashes and capitals. */
function sameFingerprint(a: string, b: string): boolean {
  const bare = (text: string): string => text.toLowerCase().replace(/[^0-9a-f]/g, "");
  return bare(a) === bare(b);
}
