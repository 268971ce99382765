import { create } from "@bufbuild/protobuf";
import { type DomainState, DomainStateSchema } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { expect, test, vi } from "vitest";
import { LastWords } from "./last-words.ts";

const state = (domain: string, drift = false): DomainState => create(DomainStateSchema, { domain, drift });
const text = (states: readonly DomainState[]): string =>
  states.map(({ domain, drift }) => (drift ? `${domain} drifts` : domain)).join(", ");

/** Writes end when the test says, one after the other. */
function kept() {
  const written: string[] = [];
  const troubles: unknown[] = [];
  const writes: { readonly states: readonly DomainState[]; readonly end: (error?: Error) => void }[] = [];
  let pauses = 0;
  const session = { isOver: false };
  const words = new LastWords({
    write: (states) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error): void => {
          if (error === undefined) {
            written.push(text(states));
            resolve();
          } else reject(error);
        };
        writes.push({ states, end });
      }),
    isOver: () => session.isOver,
    pause: async () => {
      pauses += 1;
    },
    onTrouble: (error) => troubles.push(error),
  });
  return {
    words,
    written,
    troubles,
    session,
    pauses: () => pauses,
    begun: () => writes.length,
    async end(error?: Error) {
      await vi.waitFor(() => expect(writes).not.toHaveLength(0));
      writes.shift()?.end(error);
      // Whatever follows of it has begun.
      await new Promise(setImmediate);
    },
  };
}

test("one write at a time, and of what was said meanwhile the last word of each domain", async () => {
  const { words, written, begun, end } = kept();
  words.say(state("firewall", true));
  for (let round = 0; round < 1_000; round += 1) words.say(state("firewall", round % 2 === 0));
  words.say(state("vpn", true));
  expect(begun()).toBe(1);
  await end();
  await end();
  expect(written).toEqual(["firewall drifts", "firewall, vpn drifts"]);
  expect(begun()).toBe(0);
});

test("what was found in a look does not stand over what the agent said by itself", async () => {
  const { words, written, end } = kept();
  words.say(state("firewall"));
  words.found([state("firewall", true), state("network", true)]);
  await end();
  await end();
  expect(written).toEqual(["firewall", "network drifts"]);
});

test("what could not be written is written later, in the newest words", async () => {
  const { words, written, troubles, pauses, end } = kept();
  words.say(state("firewall", true));
  words.say(state("vpn", true));
  await end(new Error("the database is away"));
  words.say(state("vpn"));
  await end(new Error("the database is away"));
  await end();
  expect([troubles.length, pauses()]).toEqual([2, 2]);
  expect(written).toEqual(["firewall drifts, vpn"]);
});

test("nothing is tried again once the session is over, and a domain that nobody knows is not kept", async () => {
  const { words, written, pauses, session, begun, end } = kept();
  words.say(state("cookies", true));
  expect(begun()).toBe(0);
  words.say(state("firewall", true));
  session.isOver = true;
  await end(new Error("the database is away"));
  expect([written.length, pauses(), begun()]).toEqual([0, 0, 0]);
});
