import type { Brand } from "../base/brand.ts";
import { err, ok, type Result } from "../base/result.ts";

export type Bytes = Brand<number, "Bytes">;

const UNIT_BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;
type Unit = keyof typeof UNIT_BYTES;

/** Reads an amount of memory or disk with its unit: `64MiB`. Decimal units are refused, because half of their readers take them for binary. */
export function parseSize(text: string): Result<Bytes, string> {
  const found = /^(0|[1-9][0-9]{0,9})(B|KiB|MiB|GiB|TiB)$/.exec(text);
  const bytes = found === null ? Number.NaN : Number(found[1]) * UNIT_BYTES[found[2] as Unit];
  if (!Number.isSafeInteger(bytes)) {
    const decimal = /^([0-9]+)([KMGT])B?$/i.exec(text);
    const hint = decimal === null ? "" : `; write ${decimal[1] ?? ""}${(decimal[2] ?? "").toUpperCase()}iB`;
    return err(
      `${JSON.stringify(text)} is not a size; write a number and one of B, KiB, MiB, GiB, TiB, like 64MiB${hint}`,
    );
  }
  return ok(bytes as Bytes);
}

/** In the largest unit that holds it exactly. */
export function formatSize(bytes: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"] as const) {
    if (bytes > 0 && bytes % UNIT_BYTES[unit] === 0) return `${bytes / UNIT_BYTES[unit]}${unit}`;
  }
  return `${bytes}B`;
}
