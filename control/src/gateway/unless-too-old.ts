import { Code, ConnectError } from "@connectrpc/connect";

/** An agent from before it could says so in the words of one that cannot. */
export async function unlessTooOld<Answer>(asked: Promise<Answer>, instead: () => Answer): Promise<Answer> {
  try {
    return await asked;
  } catch (error) {
    if (ConnectError.from(error).code !== Code.Unimplemented) throw error;
    return instead();
  }
}
