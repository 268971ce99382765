import { fstatSync, writeSync } from "node:fs";

/** What became of an entry. "busy": the journal's queue is full at this moment. "refused": it never takes this one, or no journal is there. */
export type JournalAnswer = "taken" | "busy" | "refused";

/** The socket that deploy/systemd/with-journal.pl opened to journald's own protocol before this process began; null where none did. */
export function journalSocket(env: NodeJS.ProcessEnv): number | null {
  const descriptor = /^[1-9]\d{0,3}$/.test(env["HOLDFAST_JOURNAL_FD"] ?? "")
    ? Number(env["HOLDFAST_JOURNAL_FD"])
    : null;
  if (descriptor === null) return null;
  try {
    return fstatSync(descriptor).isSocket() ? descriptor : null;
  } catch {
    return null;
  }
}

/** One entry of these fields as journald's native protocol has it, the length before each value, so that no value can begin another field. */
export function journalEntry(fields: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => {
      const bytes = Buffer.from(value);
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(bytes.length));
      return [Buffer.from(`${name}\n`), length, bytes, Buffer.from("\n")];
    }),
  );
}

/** One write is one datagram. It never waits: the socket was opened so. */
export function sendToJournal(socket: number, fields: Readonly<Record<string, string>>): JournalAnswer {
  try {
    writeSync(socket, journalEntry(fields));
    return "taken";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EAGAIN" ? "busy" : "refused";
  }
}
