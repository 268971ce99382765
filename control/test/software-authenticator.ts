/**
 * An authenticator in this process: keys of its own, a counter, and the bytes that WebAuthn asks for. What it says can be bent, one thing at
 * a time, as a false page or a copied key would bend it.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** What is bent; nothing unless a test says so. */
export interface Bent {
  readonly origin?: string;
  readonly rpId?: string;
  readonly counter?: number;
  readonly userVerified?: boolean;
  readonly type?: string;
  readonly userHandle?: string;
  readonly signature?: Buffer;
  readonly challenge?: string;
}

interface Credential {
  readonly id: Buffer;
  readonly privateKey: KeyObject;
  readonly rpId: string;
  readonly userHandle: string;
  counter: number;
}

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const BACKUP_ELIGIBLE = 0x08;
const BACKED_UP = 0x10;
const HAS_CREDENTIAL = 0x40;

export class SoftwareAuthenticator {
  readonly #origin: string;
  readonly #synced: boolean;
  readonly credentials: Credential[] = [];

  /** @param synced keeps copies elsewhere and does not count, as those of phones do */
  constructor(origin: string, synced = false) {
    this.#origin = origin;
    this.#synced = synced;
  }

  /** RegistrationResponseJSON. */
  register(options: Record<string, unknown>, bent: Bent = {}): Record<string, unknown> {
    const { rp, user, challenge } = options as {
      rp: { id: string };
      user: { id: string };
      challenge: string;
    };
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const credential = { id: randomBytes(32), privateKey, rpId: rp.id, userHandle: user.id, counter: 0 };
    this.credentials.push(credential);
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    const cose = cborMap([
      [cborInt(1), cborInt(2)],
      [cborInt(3), cborInt(-7)],
      [cborInt(-1), cborInt(1)],
      [cborInt(-2), cborBytes(Buffer.from(x, "base64url"))],
      [cborInt(-3), cborBytes(Buffer.from(y, "base64url"))],
    ]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(credential.id.length);
    const authData = Buffer.concat([
      this.#authenticatorData(credential, HAS_CREDENTIAL, bent),
      Buffer.alloc(16),
      length,
      credential.id,
      cose,
    ]);
    const attestationObject = cborMap([
      [cborText("fmt"), cborText("none")],
      [cborText("attStmt"), cborMap([])],
      [cborText("authData"), cborBytes(authData)],
    ]);
    return {
      id: credential.id.toString("base64url"),
      rawId: credential.id.toString("base64url"),
      type: "public-key",
      response: {
        clientDataJSON: this.#clientData("webauthn.create", challenge, bent).toString("base64url"),
        attestationObject: attestationObject.toString("base64url"),
        transports: ["internal"],
      },
      clientExtensionResults: {},
    };
  }

  /** AuthenticationResponseJSON. */
  assert(
    options: Record<string, unknown>,
    bent: Bent = {},
    credential = this.credentials.at(-1),
  ): Record<string, unknown> {
    if (credential === undefined) throw new Error("the authenticator has no credential");
    if (!this.#synced) credential.counter += 1;
    const { challenge } = options as { challenge: string };
    const authenticatorData = this.#authenticatorData(credential, 0, bent);
    const clientData = this.#clientData("webauthn.get", challenge, bent);
    const signed = Buffer.concat([authenticatorData, createHash("sha256").update(clientData).digest()]);
    return {
      id: credential.id.toString("base64url"),
      rawId: credential.id.toString("base64url"),
      type: "public-key",
      response: {
        clientDataJSON: clientData.toString("base64url"),
        authenticatorData: authenticatorData.toString("base64url"),
        signature: (bent.signature ?? sign("sha256", signed, credential.privateKey)).toString("base64url"),
        userHandle: bent.userHandle ?? credential.userHandle,
      },
      clientExtensionResults: {},
    };
  }

  #authenticatorData(credential: Credential, more: number, bent: Bent): Buffer {
    const flags =
      USER_PRESENT |
      (bent.userVerified === false ? 0 : USER_VERIFIED) |
      (this.#synced ? BACKUP_ELIGIBLE | BACKED_UP : 0) |
      more;
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(bent.counter ?? credential.counter);
    const rpIdHash = createHash("sha256")
      .update(bent.rpId ?? credential.rpId, "utf8")
      .digest();
    return Buffer.concat([rpIdHash, Buffer.from([flags]), counter]);
  }

  #clientData(type: string, challenge: string, bent: Bent): Buffer {
    const data = {
      type: bent.type ?? type,
      challenge: bent.challenge ?? challenge,
      origin: bent.origin ?? this.#origin,
      crossOrigin: false,
    };
    return Buffer.from(JSON.stringify(data), "utf8");
  }
}

/** RFC 8949, as much of it as WebAuthn needs. */
function cborHead(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 0x100) return Buffer.from([(major << 5) | 24, value]);
  const head = Buffer.from([(major << 5) | 25, 0, 0]);
  head.writeUInt16BE(value, 1);
  return head;
}

function cborInt(value: number): Buffer {
  return value >= 0 ? cborHead(0, value) : cborHead(1, -1 - value);
}

function cborBytes(bytes: Buffer): Buffer {
  return Buffer.concat([cborHead(2, bytes.length), bytes]);
}

function cborText(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  return Buffer.concat([cborHead(3, bytes.length), bytes]);
}

function cborMap(entries: readonly (readonly [Buffer, Buffer])[]): Buffer {
  return Buffer.concat([cborHead(5, entries.length), ...entries.flat()]);
}
