import type { FloorRepair } from "@holdfast/core/floor/keep-floor.ts";
import { readTextIfThere, writeFileDurably } from "../os/files.ts";
import type { GuardContext } from "./context.ts";

/** Of a domain that gives up at three these are several hours' worth. */
const MOST_KEPT = 10;

interface Kept {
  readonly bootId: string;
  readonly generation: number;
  readonly repairs: readonly FloorRepair[];
}

/**
 * What was put back since this boot and this confirmed state, the oldest first. A file beside the ledger and not in it: no transaction is told of
 * by it, and a file that is lost costs a few repairs more.
 */
export function readRepairs(context: GuardContext): readonly FloorRepair[] {
  const kept = parse(readTextIfThere(context.paths.floorRepairs));
  const { generation } = context.ledger.read();
  return kept?.bootId === context.clock.bootId() && kept.generation === generation ? kept.repairs : [];
}

/** @throws the system's error when the disk refuses: then nothing may be put back either (F3) */
export function writeRepairs(context: GuardContext, repairs: readonly FloorRepair[]): void {
  const kept: Kept = {
    bootId: context.clock.bootId(),
    generation: context.ledger.read().generation,
    repairs: repairs.slice(-MOST_KEPT),
  };
  writeFileDurably(context.paths.floorRepairs, `${JSON.stringify(kept)}\n`, 0o600);
}

function parse(text: string | null): Kept | null {
  if (text === null) return null;
  try {
    // Root's own file, written by this very program.
    return JSON.parse(text) as Kept;
  } catch {
    return null;
  }
}
