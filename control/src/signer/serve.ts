/** The signer's door: a unix socket of its own user, 0660 with one group. Whoever is let in may only ask. */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { LONGEST_LINE, SIGNER_QUESTION, type SignerAnswer, type SignerQuestion } from "./wire.ts";

/** Who asks says it at once; a connection that stays silent is closed. */
const SILENT_MS = 10_000;

export async function serveSigner(
  path: string,
  answer: (question: SignerQuestion) => Promise<SignerAnswer>,
): Promise<Server> {
  // Left by one that was killed; a living one holds the lock of the folder.
  rmSync(path, { force: true });
  const server = createServer({ allowHalfOpen: true }, (socket) => listenTo(socket, answer));
  // Made without rights for anybody, so that nobody is let in before the mode stands.
  const umask = process.umask(0o777);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(umask);
  }
  chmodSync(path, 0o660);
  return server;
}

function listenTo(socket: Socket, answer: (question: SignerQuestion) => Promise<SignerAnswer>): void {
  const chunks: Buffer[] = [];
  let length = 0;
  let isAsked = false;
  socket.setTimeout(SILENT_MS, () => {
    if (!isAsked) socket.destroy();
  });
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    if (isAsked) return;
    chunks.push(chunk);
    length += chunk.length;
    if (length > LONGEST_LINE)
      return reply({ kind: "refused", code: "signer.malformed", message: "the question is too long" });
    if (!chunk.includes(0x0a)) return;
    const question = readQuestion(Buffer.concat(chunks).toString("utf8"));
    if (question === null)
      return reply({ kind: "refused", code: "signer.malformed", message: "this is no question that is answered here" });
    isAsked = true;
    void answer(question).then(reply, () => socket.destroy());
  });
  function reply(said: SignerAnswer): void {
    isAsked = true;
    socket.end(`${JSON.stringify(said)}\n`);
  }
}

function readQuestion(line: string): SignerQuestion | null {
  try {
    const parsed = SIGNER_QUESTION.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
