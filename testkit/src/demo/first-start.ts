import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { Operator } from "../operator/operator.ts";
import type { ControlPlane } from "./control-plane.ts";
import { demoDocument } from "./five-minute-story.ts";

const keptSchema = z.object({ token: z.string(), prepared: z.boolean() });
type Kept = z.infer<typeof keptSchema>;

/** What the demo keeps between runs: the token it works with, and whether its documents have been applied. Readable by its owner only. */
export class DemoRecord {
  readonly #file: string;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#file = path.join(folder, "demo.json");
  }

  read(): Kept | null {
    return existsSync(this.#file) ? keptSchema.parse(JSON.parse(readFileSync(this.#file, "utf8"))) : null;
  }

  write(kept: Kept): void {
    writeFileSync(`${this.#file}.new`, JSON.stringify(kept), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}

export interface SignedIn {
  readonly operator: Operator;
  /** To be printed on the first start only. */
  readonly login: { readonly user: string; readonly password: string } | null;
}

/** The first start takes the printed one-time password; later ones use the token that was kept. */
export async function signIn(url: string, control: ControlPlane, record: DemoRecord): Promise<SignedIn> {
  const first = await control.login;
  if (first !== null) {
    const { operator, password } = await Operator.first(url, first);
    record.write({ token: operator.token, prepared: false });
    return { operator, login: { user: first.user, password } };
  }
  const kept = record.read();
  if (kept === null) {
    throw new Error(
      "The database has accounts, but the demo has no token of its own: it was made without the demo. Choose another HOLDFAST_DATA_DIR, or `make clean-data YES=1`.",
    );
  }
  return { operator: new Operator(url, kept.token), login: null };
}

/** The history every demo begins with: the floor, then each policy first observing, then the web server enforced. */
export async function applyFirstDocuments(operator: Operator, record: DemoRecord): Promise<void> {
  if (record.read()?.prepared === true) return;
  await operator.apply("Observe first: count what would be dropped", [
    demoDocument("floor"),
    demoDocument("web-host-observe"),
    demoDocument("branch-gateway"),
  ]);
  await operator.apply("Enforce the web servers' firewall", [demoDocument("web-host")]);
  record.write({ token: operator.token, prepared: true });
}
