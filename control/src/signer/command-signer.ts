/** The control plane's side of the signer: it asks, waits a bounded time, and believes nothing that it has not checked. */
import { connect } from "node:net";
import { create, fromBinary } from "@bufbuild/protobuf";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { CommandSchema, type SignedCommand, SignedCommandSchema } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { isSignedCommand } from "./command-key.ts";
import { chainIds, type KeyLink } from "./key-chain.ts";
import { LONGEST_LINE, SIGNER_ANSWER, type SignerAnswer, type SignerQuestion, type SigningWish } from "./wire.ts";

export type Signing =
  | { readonly kind: "signed"; readonly command: SignedCommand }
  /** It does not sign that: asking again changes nothing. */
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  /** It is away, slow or in trouble: ask again later. */
  | { readonly kind: "unavailable"; readonly code: string; readonly message: string };

export interface CommandSigner {
  /** Raw Ed25519 public key, hex: what agents are given at enrolment. */
  readonly publicKeyHex: string;
  readonly keyId: string;
  /** How the house came to it: what an agent that trusts an older key is led along. */
  readonly links: readonly KeyLink[];
  sign(wish: SigningWish): Promise<Signing>;
  /** What keeps it from signing now, in words; null when nothing does. */
  trouble(): Promise<string | null>;
  /** The user that holds the key, as it says. */
  uid(): Promise<number | null>;
}

export interface SignerUnreachable {
  readonly code: "signer.unreachable";
  readonly message: string;
}

/** One look at the rows, one line on the disk; the saga's own calls wait about as long. */
const ANSWER_WITHIN_MS = 5_000;
const ASK_AGAIN_MS = 100;

/** Knocks until the signer answers. Whose key it has is asked once: another one at the same door later is a lie. */
export async function reachSigner(path: string, patienceMs: number): Promise<Result<CommandSigner, SignerUnreachable>> {
  const until = performance.now() + patienceMs;
  let said: Answered;
  for (;;) {
    said = await askSigner(path, { ask: "describe" });
    if (said.kind === "described") {
      if (chainIds(said.links, said.publicKeyHex) !== null) return ok(signerAt(path, said));
      said = { kind: "unavailable", code: "signer.not_believed", message: "the links of its key do not hold" };
      break;
    }
    if (performance.now() > until) break;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
  return err({
    code: "signer.unreachable",
    message: `the signer of commands does not answer at ${path}: ${"message" in said ? said.message : said.kind}. Start it, or see its log`,
  });
}

type Described = Extract<SignerAnswer, { kind: "described" }>;
type Answered = SignerAnswer | { readonly kind: "unavailable"; readonly code: string; readonly message: string };

function signerAt(path: string, first: Described): CommandSigner {
  const { publicKeyHex, keyId, links } = first;
  return {
    publicKeyHex,
    keyId,
    links,
    async sign(wish) {
      const said = await askSigner(path, wish);
      switch (said.kind) {
        case "signed":
          return checked(publicKeyHex, keyId, wish, said);
        case "refused":
        case "unavailable":
          return said;
        case "described":
          return lie("it answered another question");
      }
    },
    async trouble() {
      const said = await askSigner(path, { ask: "describe" });
      if (said.kind !== "described") return said.kind === "signed" ? "it answered another question" : said.message;
      if (said.publicKeyHex !== publicKeyHex) return "another key answers than the one that agents were given";
      return said.trouble;
    },
    async uid() {
      const said = await askSigner(path, { ask: "describe" });
      return said.kind === "described" ? said.uid : null;
    },
  };
}

function checked(
  publicKeyHex: string,
  keyId: string,
  wish: SigningWish,
  said: Extract<SignerAnswer, { kind: "signed" }>,
): Signing {
  const bytes = Buffer.from(said.command, "base64");
  const signature = Buffer.from(said.signature, "base64");
  if (said.keyId !== keyId || !isSignedCommand(publicKeyHex, bytes, signature))
    return lie("the signature is not of its key");
  const command = fromBinary(CommandSchema, bytes);
  if (
    command.serverId !== wish.serverId ||
    command.requestId !== wish.requestId ||
    command.fence !== BigInt(wish.fence) ||
    command.verb.case !== wish.ask
  )
    return lie("it signed another command than the one that was asked for");
  return { kind: "signed", command: create(SignedCommandSchema, { command: bytes, signature, keyId }) };
}

function lie(message: string): Signing {
  return { kind: "unavailable", code: "signer.not_believed", message };
}

/** Never throws: a door that is shut is an answer. */
function askSigner(path: string, question: SignerQuestion): Promise<Answered> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const chunks: Buffer[] = [];
    let length = 0;
    const end = (answer: Answered): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const away = (message: string): void => end({ kind: "unavailable", code: "signer.unreachable", message });
    const timer = setTimeout(() => away(`no answer within ${ANSWER_WITHIN_MS / 1_000} s`), ANSWER_WITHIN_MS);
    socket.on("error", (error) => away(error.message));
    socket.on("connect", () => socket.write(`${JSON.stringify(question)}\n`));
    socket.on("data", (chunk) => {
      length += chunk.length;
      if (length > LONGEST_LINE) return away("its answer has no end");
      chunks.push(chunk);
      // The first line counts; whatever else it says is not heard.
      if (chunk.includes(0x0a)) end(readAnswer(Buffer.concat(chunks).toString("utf8").split("\n")[0] ?? ""));
    });
    socket.on("close", () => away("it hung up without an answer"));
  });
}

function readAnswer(line: string): Answered {
  try {
    const parsed = SIGNER_ANSWER.safeParse(JSON.parse(line));
    if (parsed.success) return parsed.data;
  } catch {
    // falls through: not JSON is not an answer
  }
  return { kind: "unavailable", code: "signer.not_believed", message: "its answer cannot be read" };
}
