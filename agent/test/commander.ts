import { createHash, generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from "node:crypto";
import { create, type Message, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import { parseSecretFile } from "@holdfast/core/secret/secret-file.ts";
import { CommandSchema, type SignedCommand, SignedCommandSchema } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { SIGNED_TEXT } from "@holdfast/proto/wire/session.ts";
import { digestOfText } from "../src/digest.ts";

/** A command as an object literal; the messages' own types are not wanted here. */
export type CommandInit = Exclude<MessageInitShape<typeof CommandSchema>, Message>;

export interface Trial {
  readonly whenFloorLost?: "repair";
  readonly windowSeconds?: number;
  readonly reconnectSeconds?: number;
}

/** Signs commands as a control plane does, for one server. */
export class Commander {
  readonly serverId = randomUUID();
  readonly #privateKey: KeyObject;
  readonly rawPublicKeyHex: string;
  #fence = 0;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    this.#privateKey = privateKey;
    this.rawPublicKeyHex = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url").toString("hex");
  }

  /** What enrolment writes down on the server. */
  identity(): string {
    const controlPlane = { host: "127.0.0.1", port: 1 };
    return JSON.stringify({
      serverId: this.serverId,
      serverName: "test",
      controlPlane,
      commandKeys: [this.rawPublicKeyHex],
    });
  }

  get fence(): bigint {
    return BigInt(this.#fence);
  }

  nextFence(): bigint {
    this.#fence += 1;
    return BigInt(this.#fence);
  }

  command(requestId: string, verb: NonNullable<CommandInit["verb"]>, more: CommandInit = {}): SignedCommand {
    const init: CommandInit = {
      serverId: this.serverId,
      requestId,
      fence: BigInt(this.#fence),
      expiresAtMs: BigInt(Date.now() + 3_600_000),
      changeId: "change-1",
      actor: "kim",
      ...more,
    };
    const command = toBinary(CommandSchema, create(CommandSchema, { ...init, verb }));
    const signature = sign(null, Buffer.concat([Buffer.from(SIGNED_TEXT.command), command]), this.#privateKey);
    const keyId = createHash("sha256").update(Buffer.from(this.rawPublicKeyHex, "hex")).digest("hex").slice(0, 16);
    return create(SignedCommandSchema, { command, signature, keyId });
  }
}

/** An effective config of these domains, and its digest. */
export function effectiveConfig(
  domains: Readonly<Record<string, Json>>,
  trial: Trial,
): { configJson: string; configDigest: string } {
  // What of the store a tunnel names: the test has put it there.
  const secrets = [...JSON.stringify(domains).matchAll(/"keyFile":"([^"]+)"/g)]
    .map(([, file = ""]) => file)
    .filter((file) => parseSecretFile(file).ok);
  const configJson = canonicalJson({
    server: "test",
    domains,
    ...(secrets.length === 0 ? {} : { secrets }),
    ...(trial.whenFloorLost === undefined ? {} : { whenFloorLost: trial.whenFloorLost }),
    probes: [],
    trial: {
      reconnectSeconds: trial.reconnectSeconds ?? 60,
      soakSeconds: 0,
      windowSeconds: trial.windowSeconds ?? 60,
      confirm: "machine",
    },
    managementPath: { controlPlane: [{ address: "192.0.2.1", port: 7081 }], inbound: [] },
  });
  return { configJson, configDigest: digestOfText(configJson) };
}

export function makeNonce(): string {
  return randomBytes(32).toString("hex");
}

/** UUIDv7, so that ids sort by time as real ones do. */
export function makeRequestId(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  const rest = randomBytes(10).toString("hex");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6, 18)}`;
}
