import { randomBytes } from "node:crypto";

/** A new UUIDv7 in text form: 48 bits of time, 74 of chance, so that ids sort by when they were made. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says which kind of id it makes; there is nothing else to tell it from
export function newId<Id extends string>(): Id {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Id;
}
