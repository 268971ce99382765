import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import type { DomainName } from "@holdfast/core/domain.ts";
import { GuardService } from "@holdfast/proto/gen/holdfast/v1/guard_pb.ts";
import type { DomainStateSchema } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { expect, onTestFinished, test, vi } from "vitest";
import { Watching } from "./watching.ts";

type State = MessageInitShape<typeof DomainStateSchema>;

/** A session over a guard that finds what the test says, and that looks when the test says. */
function watched() {
  const asked: { readonly domains: readonly string[]; readonly confirmedOnly: boolean }[] = [];
  let found: readonly State[] | "away" = [];
  let isOpen = false;
  let outcomes: readonly TransactionPhase[] = [];
  let wake: (domains: readonly DomainName[]) => void = () => undefined;
  const client = createClient(
    GuardService,
    createRouterTransport((router) =>
      router.service(GuardService, {
        lookAfter({ domains, confirmedOnly }) {
          asked.push({ domains, confirmedOnly });
          if (found === "away") throw new ConnectError("the guard is away", Code.Unavailable);
          return { domains: [...found], open: isOpen };
        },
        outbox: () => ({}),
        async *follow() {
          const phases = outcomes;
          outcomes = [];
          for (const phase of phases) yield { event: { case: "transaction", value: { requestId: "one", phase } } };
        },
      }),
    ),
  );
  const watching = new Watching({
    guard: { call: (verb) => verb(client), client: async () => client },
    log: { warn: () => undefined },
    driftSeconds: 30,
    moves: {
      next: () =>
        new Promise((resolve) => {
          wake = resolve;
        }),
    },
    onLook: () => undefined,
    onTrial: () => undefined,
  });
  onTestFinished(() => watching.close());
  return {
    asked,
    watching,
    async look(finds: readonly State[] | "away" = [], domains: readonly DomainName[] = []) {
      found = finds;
      const before = wake;
      wake(domains);
      // It waits for the next one as soon as it has told of this one.
      await vi.waitFor(() => expect(wake).not.toBe(before));
    },
    /** A transaction is open from now on, or none. */
    open(is: boolean) {
      isOpen = is;
    },
    async outcome(phase: TransactionPhase, watcher: { readonly outcomes: TransactionPhase[] }) {
      const before = watcher.outcomes.length;
      await vi.waitFor(() => {
        outcomes = [phase];
        watching.transactionMayMove();
        expect(watcher.outcomes.length).toBeGreaterThan(before);
      });
    },
    /** A control plane that watches from now on. */
    async watch() {
      const told: string[] = [];
      const seen: TransactionPhase[] = [];
      const events = watching.events(new AbortController().signal);
      void (async () => {
        for await (const { event } of events) {
          if (event?.case === "drift") told.push(`${event.value.domain}${event.value.drift === true ? " drifts" : ""}`);
          if (event?.case === "outcome") seen.push(event.value.phase ?? TransactionPhase.UNSPECIFIED);
        }
      })();
      return { told, outcomes: seen };
    },
  };
}

const ALL = { domains: [], confirmedOnly: false };
const CONFIRMED = { domains: [], confirmedOnly: true };

test("domains of which nothing is confirmed are looked at once, and then not each half minute", async () => {
  const { asked, look } = watched();
  for (let round = 0; round < 3; round++) await look();
  expect(asked).toEqual([ALL, CONFIRMED, CONFIRMED]);
});

test("what somebody moved is looked at whether anything of it is confirmed or not, and is no look at all", async () => {
  const { asked, look } = watched();
  await look([], ["network"]);
  await look();
  await look();
  expect(asked).toEqual([{ domains: ["network"], confirmedOnly: false }, ALL, CONFIRMED]);
});

test("a look at all that failed is made again", async () => {
  const { asked, look } = watched();
  await look("away");
  await look();
  await look();
  expect(asked).toEqual([ALL, ALL, CONFIRMED]);
});

test("a look while a change is open is told by nobody, and was none", async () => {
  const { asked, look, watch, open } = watched();
  const { told } = await watch();
  open(true);
  await look([{ domain: "firewall", drift: true }]);
  open(false);
  await look([{ domain: "firewall" }]);
  await look([{ domain: "firewall" }]);
  expect(asked).toEqual([ALL, ALL, CONFIRMED]);
  await vi.waitFor(() => expect(told).toEqual(["firewall"]));
});

test("a state is told when it is another one, and a domain that could not be read is told by nobody", async () => {
  const { look, watch } = watched();
  const { told } = await watch();
  const [firewall, vpn] = [{ domain: "firewall" }, { domain: "vpn" }];
  await look([firewall, vpn]);
  await look([{ ...firewall, drift: true }, vpn]);
  await look([{ ...firewall, drift: true, error: "nft is away" }, vpn]);
  await look([{ ...firewall, drift: true }, vpn]);
  await look([firewall, vpn]);
  await look([{ ...firewall, floor: { lost: [{ path: "table", expected: "there", found: "gone" }] } }, vpn]);
  await vi.waitFor(() => expect(told).toEqual(["firewall", "vpn", "firewall drifts", "firewall", "firewall"]));
});

test("whoever begins to watch is told of each domain, though nothing has moved: it may have looked while a change was open", async () => {
  const { look, watch } = watched();
  const drifting = [{ domain: "firewall", drift: true }];
  const first = await watch();
  await look(drifting);
  await vi.waitFor(() => expect(first.told).toEqual(["firewall drifts"]));
  const second = await watch();
  await vi.waitFor(async () => {
    await look(drifting);
    expect(second.told).toEqual(["firewall drifts"]);
  });
});

test("after an outcome all is told again: what was confirmed is taken for what is there, and it may have moved before this look", async () => {
  const { look, watch, outcome } = watched();
  const drifting = [{ domain: "firewall", drift: true }];
  const watcher = await watch();
  await look(drifting);
  await outcome(TransactionPhase.FINALIZED, watcher);
  await look(drifting);
  await vi.waitFor(() => expect(watcher.told).toEqual(["firewall drifts", "firewall drifts"]));
});
