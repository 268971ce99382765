import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import type { DomainName } from "@holdfast/core/domain.ts";
import { GuardService } from "@holdfast/proto/gen/holdfast/v1/guard_pb.ts";
import { expect, test, vi } from "vitest";
import { Watching } from "./watching.ts";

interface Asked {
  readonly domains: readonly string[];
  readonly confirmedOnly: boolean;
}

/** Looks as often as it is woken, each time at these domains. */
async function asked(
  wakes: readonly (readonly DomainName[])[],
  fails: readonly number[] = [],
): Promise<readonly Asked[]> {
  const questions: Asked[] = [];
  const left = [...wakes];
  const client = createClient(
    GuardService,
    createRouterTransport((router) =>
      router.service(GuardService, {
        lookAfter({ domains, confirmedOnly }) {
          questions.push({ domains, confirmedOnly });
          if (fails.includes(questions.length)) throw new ConnectError("the guard is away", Code.Unavailable);
          return {};
        },
      }),
    ),
  );
  const watching = new Watching({
    guard: { call: (verb) => verb(client), client: async () => client },
    log: { warn: () => undefined },
    driftSeconds: 30,
    moves: { next: async () => left.shift() ?? new Promise<never>(() => undefined) },
    onLook: () => undefined,
    onTrial: () => undefined,
  });
  try {
    await vi.waitFor(() => expect(questions).toHaveLength(wakes.length));
    return questions;
  } finally {
    watching.close();
  }
}

const ALL = { domains: [], confirmedOnly: false };
const CONFIRMED = { domains: [], confirmedOnly: true };

test("domains of which nothing is confirmed are looked at once, and then not each half minute", async () => {
  expect(await asked([[], [], []])).toEqual([ALL, CONFIRMED, CONFIRMED]);
});

test("what somebody moved is looked at whether anything of it is confirmed or not, and is no look at all", async () => {
  expect(await asked([["network"], [], []])).toEqual([{ domains: ["network"], confirmedOnly: false }, ALL, CONFIRMED]);
});

test("a look at all that failed is made again", async () => {
  expect(await asked([[], [], []], [1])).toEqual([ALL, ALL, CONFIRMED]);
});
