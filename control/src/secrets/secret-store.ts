import type { SecretId, UserId } from "@holdfast/core/base/id.ts";
import { type SecretVersion } from "@holdfast/core/secret/secret-file.ts";
import { Refused } from "../api/refused.ts";
import type { Actor } from "../store/actor.ts";
import type { Database, Queryable } from "../store/database.ts";
import { listInstances } from "../store/instances.ts";
import { newId } from "../store/new-id.ts";
import {
  countWrappedOtherwise,
  getHouse,
  getVersion,
  insertHouse,
  insertSecret,
  insertVersion,
  listVersions,
  lockHouse,
  lockSecret,
  type PublicPart,
  setHouse,
  takeWrappedOtherwise,
  whileNobodyElseRekeys,
  wrapAnew,
} from "../store/secrets.ts";
import type { SecretHouseRow, SecretRow } from "../store/tables.ts";
import { type Transaction, transaction } from "../store/transaction.ts";
import { fingerprintOf, keyIdOf, newKey, open, seal } from "./envelope.ts";
import type { KeySource } from "./key-source.ts";

/**
 * The store of secrets: written and handed to servers, never read by anybody.
 *   V1. What is in the database opens only with a key that is not in it.
 *   V2. A value leaves in one way only: to be sealed for a server. Nothing of the API asks for one.
 *   V3. A version never changes. What is renewed with the key-encryption key are the wraps of the data keys.
 */

const HOUSE = "secret_house";

export interface NewSecretValue {
  readonly name: string;
  /** Which number it gets; it is refused where that exists. */
  readonly version: number;
  readonly value: string;
  readonly boundTo: string;
  readonly madeBy: UserId;
  /** What is public of a private key. */
  readonly certificate?: PublicPart;
}

export interface Rekeyed {
  readonly keyId: string;
  /** Secrets whose data key was wrapped anew by this call. */
  readonly wrapped: number;
}

/** Rows in one transaction while the key is changed: short, so that nobody waits for it. */
const WRAPPED_AT_ONCE = 50;

export class SecretStore {
  readonly #source: KeySource;
  #keys: readonly Buffer[] = [];
  /** The newest call for a new key: the next one waits for it. */
  #rekeying: Promise<unknown> = Promise.resolve();

  constructor(source: KeySource) {
    this.#source = source;
  }

  /** Why secrets cannot be made or opened by this instance; null where they can, or where there are none yet. */
  async problem(database: Queryable): Promise<string | null> {
    const house = await getHouse(database);
    if (house === undefined) return null;
    try {
      await this.#keyCalled(house.key_id);
      return null;
    } catch (error) {
      if (error instanceof Refused) return error.detail;
      throw error;
    }
  }

  async add(tx: Transaction, one: NewSecretValue, by: Actor): Promise<SecretVersion> {
    const house = await this.#house(tx);
    const key = await this.#keyCalled(house.key_id);
    await insertSecret(tx, this.#newRow(one.name, key));
    const row = await lockSecret(tx, one.name);
    if (row === undefined) throw new Error(`the secret ${one.name} is gone right after it was made`);
    const dataKey = await this.#dataKey(row);
    const about = aboutSecret(row.id);
    const fingerprint = fingerprintOf(await this.#fingerprintKey(house), about, one.value);
    const { version, boundTo, madeBy, certificate } = one;
    const sealed = seal(dataKey, Buffer.from(one.value, "utf8"), aboutVersion(row.id, version));
    const added = { secretId: row.id, name: one.name, version, sealed, fingerprint, boundTo, madeBy };
    await insertVersion(tx, { ...added, ...(certificate === undefined ? {} : { certificate }) }, by);
    return { name: one.name, version, fingerprint, boundTo };
  }

  /** The value, for the one who seals it for a server. */
  async value(database: Queryable, name: string, version: number): Promise<string | null> {
    const row = await getVersion(database, name, version);
    if (row === undefined) return null;
    const dataKey = await this.#dataKey({ id: row.secret_id, key_id: row.key_id, data_key: row.data_key });
    const value = open(dataKey, row.sealed, aboutVersion(row.secret_id, version));
    if (value === null)
      throw new Refused("secret.damaged", `Version ${version} of ${name} does not open: its row was changed.`);
    return value.toString("utf8");
  }

  /**
   * Changes the key-encryption key. Every step leaves everything readable: first the new key is beside the old one, then the house uses it, then
   * the data keys are wrapped anew, and only when nothing needs the old key is it forgotten. Stopped anywhere, the next call goes on. One after
   * another, here and in every instance: of two that write the file at once, one would take out the key that the house has just moved to.
   */
  rekey(database: Database, by: Actor): Promise<Rekeyed> {
    const done = this.#rekeying.then(() =>
      whileNobodyElseRekeys(database, (assertHeld) => this.#rekey(database, by, assertHeld)),
    );
    this.#rekeying = done.catch(() => undefined);
    return done;
  }

  async #rekey(database: Database, by: Actor, assertHeld: () => Promise<void>): Promise<Rekeyed> {
    const first = await transaction(database, (tx) => this.#house(tx));
    if (!first.ok) throw first.error;
    await this.#read();
    const { words } = this.#source;
    // Others have a copy of the file, and would be left without the new key.
    const isAlone = (await listInstances(database)).length <= 1;
    const replace = isAlone ? this.#source.replace : null;
    if (this.#keys.length === 1 && replace === null) {
      throw new Refused(
        "secret.one_key",
        `There is one key in ${words}${isAlone ? "" : ", and this house has several instances"}.`,
        {
          remedy: "Put the new key before the old one, for every instance; restart them, then do this again.",
        },
      );
    }
    if (this.#keys.length === 1 && replace !== null) {
      const made = newKey();
      await assertHeld();
      await this.#written(replace([made, ...this.#keys]));
      await this.#read();
      // What the file does not have when this process ends is lost, so the house moves to nothing else.
      if (this.#keys[0]?.equals(made) !== true) throw missing(keyIdOf(made), `the first line of ${words}`);
    }
    const [current] = this.#keys;
    if (current === undefined) throw missing(first.value.key_id, words);
    const keyId = keyIdOf(current);
    if (first.value.key_id !== keyId) {
      const moved = await transaction(database, async (tx) => {
        const fingerprintKey = await this.#fingerprintKey(first.value);
        await setHouse(tx, first.value.key_id, keyId, seal(current, fingerprintKey, HOUSE), by);
      });
      if (!moved.ok) throw moved.error;
    }
    let wrapped = 0;
    for (;;) {
      const batch = await transaction(database, async (tx) => {
        const rows = await takeWrappedOtherwise(tx, keyId, WRAPPED_AT_ONCE);
        for (const row of rows)
          await wrapAnew(tx, row.id, keyId, seal(current, await this.#dataKey(row), aboutSecret(row.id)));
        return rows.length;
      });
      if (!batch.ok) throw batch.error;
      if (batch.value === 0) break;
      wrapped += batch.value;
    }
    if (replace !== null && (await countWrappedOtherwise(database, keyId)) === 0) {
      await assertHeld();
      await this.#read();
      if (this.#keys[0]?.equals(current) !== true) throw missing(keyId, `the first line of ${words}`);
      await this.#written(replace([current]));
      await this.#read();
    }
    return { keyId, wrapped };
  }

  #newRow(name: string, key: Buffer): Pick<SecretRow, "id" | "name" | "key_id" | "data_key"> {
    const id: SecretId = newId();
    return { id, name, key_id: keyIdOf(key), data_key: seal(key, newKey(), aboutSecret(id)) };
  }

  /** The row that says which key is used; made with the first secret. */
  async #house(tx: Transaction): Promise<SecretHouseRow> {
    const known = await lockHouse(tx);
    if (known !== undefined) return known;
    if (this.#keys.length === 0) await this.#read();
    if (this.#keys.length === 0 && this.#source.make !== null) {
      await this.#written(this.#source.make());
      await this.#read();
    }
    const [key] = this.#keys;
    if (key === undefined) throw missing("any", this.#source.words);
    await insertHouse(tx, keyIdOf(key), seal(key, newKey(), HOUSE));
    const made = await lockHouse(tx);
    if (made === undefined) throw new Error("the row of the secrets' key is gone right after it was made");
    return made;
  }

  async #fingerprintKey(house: SecretHouseRow): Promise<Buffer> {
    const key = open(await this.#keyCalled(house.key_id), house.fingerprint_key, HOUSE);
    if (key === null)
      throw new Refused("secret.damaged", "The key of the fingerprints does not open: its row was changed.");
    return key;
  }

  async #dataKey(row: Pick<SecretRow, "id" | "key_id" | "data_key">): Promise<Buffer> {
    const key = open(await this.#keyCalled(row.key_id), row.data_key, aboutSecret(row.id));
    if (key === null)
      throw new Refused("secret.damaged", "The data key of a secret does not open: its row was changed.");
    return key;
  }

  /** Another instance may have changed the key: what is not known is looked for once more where keys come from. */
  async #keyCalled(keyId: string): Promise<Buffer> {
    const find = (): Buffer | undefined => this.#keys.find((key) => keyIdOf(key) === keyId);
    const known = find();
    if (known !== undefined) return known;
    await this.#read();
    const found = find();
    if (found !== undefined) return found;
    throw missing(keyId, this.#source.words);
  }

  /** A disk that is full, or a folder that is not ours, is no fault of the program. */
  async #written(writing: Promise<void>): Promise<void> {
    try {
      await writing;
    } catch (error) {
      if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) throw error;
      throw new Refused(
        "secret.key_unwritable",
        `The key of the secrets cannot be written to ${this.#source.words} (${String(error.code)}).`,
      );
    }
  }

  async #read(): Promise<void> {
    const keys = await this.#source.read();
    if (!keys.ok)
      throw new Refused(
        "secret.key_missing",
        `The key of the secrets cannot be used: ${this.#source.words}: ${keys.error}.`,
      );
    this.#keys = keys.value;
  }
}

export async function catalogue(database: Queryable): Promise<readonly SecretVersion[]> {
  return (await listVersions(database)).map((row) => {
    const { name, version, fingerprint, bound_to: boundTo, certificate: own, authority, private_id: keyId } = row;
    const isPrivate = own !== null && authority !== null && keyId !== null;
    return { name, version, fingerprint, boundTo, ...(isPrivate ? { certificate: { own, authority, keyId } } : {}) };
  });
}

function missing(keyId: string, words: string): Refused {
  return new Refused(
    "secret.key_missing",
    `The secrets of this house need the key ${keyId}, which is not in ${words}.`,
  );
}

function aboutSecret(id: SecretId): string {
  return `secret/${id}`;
}

function aboutVersion(id: SecretId, version: number): string {
  return `secret/${id}@${version}`;
}
