import { argon2, randomBytes, timingSafeEqual } from "node:crypto";

/** argon2id's cost. Kept in each hash, so that raising it here changes no password. */
export interface PasswordCost {
  readonly memoryKiB: number;
  readonly passes: number;
}

/** RFC 9106's second recommendation: 64 MiB and three passes, about 0.15 s here. More would let few sign-ins fill the memory. */
export const PASSWORD_COST: PasswordCost = { memoryKiB: 64 * 1024, passes: 3 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Each holds 64 MiB and a thread: two leave the machine to its work. */
const AT_ONCE = 2;
/** More than this waiting is an attack or a stampede; whoever comes then is told to come back. */
const WAITING_MOST = 20;

export class PasswordHasher {
  readonly #cost: PasswordCost;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  /** What a sign-in to an account that is not there is checked against, so that it takes as long as any other. */
  #decoy: Promise<string> | null = null;

  constructor(cost: PasswordCost = PASSWORD_COST) {
    this.#cost = cost;
  }

  /** Null: too many are waiting. */
  async hash(password: string): Promise<string | null> {
    return this.#inTurn(async () => {
      const salt = randomBytes(SALT_BYTES);
      const hash = await derive(password, salt, this.#cost);
      return `$argon2id$v=19$m=${this.#cost.memoryKiB},t=${this.#cost.passes},p=1$${base64(salt)}$${base64(hash)}`;
    });
  }

  /** False also for a hash that cannot be read; null: too many are waiting. `encoded` null: there is no such account. */
  async matches(password: string, encoded: string | null): Promise<boolean | null> {
    this.#decoy ??= this.hash(randomBytes(16).toString("hex")).then((hash) => hash ?? "");
    const against = encoded ?? (await this.#decoy);
    const matched = await this.#inTurn(() => compare(password, against));
    return matched === null ? null : matched && encoded !== null;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T | null> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= WAITING_MOST) return null;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}

const ENCODED = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

async function compare(password: string, encoded: string): Promise<boolean> {
  const [, memory, passes, salt, hash] = ENCODED.exec(encoded) ?? [];
  if (memory === undefined || passes === undefined || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, "base64");
  const actual = await derive(password, Buffer.from(salt, "base64"), {
    memoryKiB: Number(memory),
    passes: Number(passes),
  });
  return timingSafeEqual(actual, expected);
}

function derive(password: string, nonce: Buffer, cost: PasswordCost): Promise<Buffer> {
  const message = Buffer.from(password.normalize("NFC"), "utf8");
  return new Promise((resolve, reject) => {
    argon2(
      "argon2id",
      { message, nonce, parallelism: 1, tagLength: HASH_BYTES, memory: cost.memoryKiB, passes: cost.passes },
      (error, key) => (error === null || error === undefined ? resolve(key) : reject(error)),
    );
  });
}

/** PHC strings have no padding. */
function base64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
