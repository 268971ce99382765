/**
 * How long the console takes, as a person at a browser has it: node e2e/console/measure-console.ts [loads|steps|rules]
 * Headless Chromium on this machine, the built console and its mock API on loopback. Prints the median and the worst of several runs; says
 * nothing about what is fast enough, because that depends on the machine and on what else it does.
 */
import { loadavg } from "node:os";
import { paths } from "@holdfast/console/paths.ts";
import type { Page } from "playwright-core";
import { withBrowser } from "./browser.ts";
import { largePolicy } from "./large-policy.ts";
import { type MockServer, startMockServer } from "./mock-server.ts";
import { signIn } from "./steps.ts";
import { buildConsole } from "./visit.ts";

const RUNS = 5;
const RULES = 10_000;
/** What is not there by then never comes: the command ends and says so. */
const GIVE_UP_MS = 60_000;
/** Of the column of names. */
const WIDTH = 56;

interface Figures {
  readonly name: string;
  readonly ms: readonly number[];
}

const only = process.argv[2] ?? "";

async function measured(name: string, once: (run: number) => Promise<number>): Promise<void> {
  const ms: number[] = [];
  for (let run = 0; run < RUNS; run += 1) ms.push(await once(run));
  say({ name, ms: ms.toSorted((a, b) => a - b) });
}

function say({ name, ms }: Figures): void {
  const [median, worst] = [ms[Math.floor(ms.length / 2)] ?? 0, ms.at(-1) ?? 0];
  console.log(`${name.padEnd(WIDTH)} ${median.toFixed(0).padStart(8)} ${worst.toFixed(0).padStart(8)}`);
}

/** The clock of the page one frame after something is there: it is on the screen then. Asked in every frame, and by no eval of the page. */
function shownAt(page: Page, isThere: string): Promise<number> {
  return page.evaluate<number>(
    `new Promise((done, fail) => {
      setTimeout(() => fail(new Error("never shown")), ${GIVE_UP_MS});
      const look = () => requestAnimationFrame(() => ((${isThere}) ? requestAnimationFrame(() => done(performance.now())) : look()));
      look();
    })`,
  );
}

/** From the beginning of an act to the frame that shows what came of it. */
async function untilShown(page: Page, act: () => Promise<void>, isThere: string): Promise<number> {
  const before = await page.evaluate<number>("performance.now()");
  await act();
  return (await shownAt(page, isThere)) - before;
}

/** A page from its address to its heading on the screen with nothing that waits, the login page with its field ready to be typed in. */
async function firstLoads(server: MockServer): Promise<void> {
  const load = async (path: string, isThere: string, session: boolean): Promise<number> =>
    withBrowser({ viewport: { width: 1280, height: 900 }, locale: "en" }, async (context) => {
      const page = await context.newPage();
      if (session) {
        await signIn(page, server.url);
        // Signed in, with nothing in the cache of the browser.
        const client = await context.newCDPSession(page);
        await client.send("Network.clearBrowserCache");
      }
      await page.goto(`${server.url}${path}`, { waitUntil: "commit" });
      // Since the navigation began.
      return shownAt(page, isThere);
    });
  const heading = "document.querySelector('h1') !== null && document.querySelector('.pf-v6-c-spinner') === null";
  await measured("login page: first load, ready to type", () =>
    load("/login", "document.querySelector('#password') !== null", false),
  );
  await measured("overview: first load, ready", () => load(paths.overview(), heading, true));
  await measured("rule table of a policy: first load, ready", () =>
    load(
      paths.editDocument("Policy", "web-host", { view: "rules" }),
      "document.querySelector('[data-rule] input') !== null",
      true,
    ),
  );
}

async function steps(server: MockServer): Promise<void> {
  await withBrowser({ viewport: { width: 1280, height: 900 }, locale: "en" }, async (context) => {
    const page = await context.newPage();
    await signIn(page, server.url);
    await page.getByRole("heading", { level: 1 }).waitFor();
    const servers = page.locator("nav").getByRole("link", { name: "Servers", exact: true });
    const overview = page.locator("nav").getByRole("link", { name: "Overview", exact: true });
    await measured("from the overview to 10,000 servers", async () => {
      const ms = await untilShown(page, () => servers.click(), "document.querySelectorAll('[role=row]').length > 5");
      await overview.click();
      await shownAt(page, "document.querySelectorAll('[role=row]').length === 0");
      return ms;
    });
    await servers.click();
    await shownAt(page, "document.querySelectorAll('[role=row]').length > 5");
    await measured("10,000 servers: filter to one", (run) =>
      untilShown(
        page,
        () => page.getByLabel("Filter servers").fill(`node-0424${run}`),
        `document.querySelectorAll('[role=row]').length === 2 && document.body.innerText.includes('node-0424${run}')`,
      ),
    );
  });
}

async function largeRules(server: MockServer): Promise<void> {
  await withBrowser({ viewport: { width: 1280, height: 900 }, locale: "en" }, async (context) => {
    const page = await context.newPage();
    await signIn(page, server.url);
    const text = largePolicy(RULES);
    await page.evaluate(([key, value]) => localStorage.setItem(key, value), [
      "holdfast.pending.admin",
      JSON.stringify({
        title: "",
        reason: "",
        changeId: null,
        edits: [{ kind: "Policy", name: "large", text, baseRevision: 0, baseText: null }],
      }),
    ] as const);
    const row = (name: string): string => `document.querySelector('[aria-label="Name of ${name}"]') !== null`;
    await measured("10,000 rules: open the table (read beside the page)", async () => {
      await page.goto(`${server.url}${paths.editDocument("Policy", "large", { view: "rules" })}`);
      return shownAt(page, row("rule-0"));
    });
    // What the page may not do is hold up the person: the longest time in which nothing else could run.
    await page.evaluate(
      "window.longest = 0; new PerformanceObserver((list) => { for (const one of list.getEntries()) window.longest = Math.max(window.longest, one.duration); }).observe({ type: 'longtask' })",
    );
    await measured("10,000 rules: edit a cell", (run) =>
      untilShown(
        page,
        async () => {
          await page.getByLabel("Why of rule-3", { exact: true }).fill(`OPS-${run}`);
          await page.keyboard.press("Enter");
        },
        `JSON.parse(localStorage.getItem('holdfast.pending.admin')).edits[0].text.includes('why: OPS-${run}\\n')`,
      ),
    );
    await measured("10,000 rules: move one by a key", (run) =>
      untilShown(
        page,
        async () => {
          await page.getByLabel("Move rule-3 up", { exact: true }).focus();
          await page.keyboard.press(run % 2 === 0 ? "Alt+ArrowDown" : "Alt+ArrowUp");
        },
        `document.querySelector('[aria-label="Place of rule-3"]').value === '${run % 2 === 0 ? 5 : 4}'`,
      ),
    );
    await measured("10,000 rules: copy one", (run) =>
      untilShown(
        page,
        () => page.getByLabel("Copy rule-4", { exact: true }).click(),
        row(`rule-4-copy${run === 0 ? "" : `-${run + 1}`}`),
      ),
    );
    await measured("10,000 rules: search", (run) =>
      untilShown(page, () => page.getByLabel("Filter rules").fill(`rule-777${run}`), row(`rule-777${run}`)),
    );
    await page.getByLabel("Filter rules").fill("");
    await shownAt(page, row("rule-0"));
    await measured("10,000 rules: scroll to a place, rows there", (run) => {
      const top = 60_000 * (run + 1);
      return untilShown(
        page,
        () => page.evaluate(`document.querySelector('[data-many="true"]').scrollTop = ${top}`),
        // A row covers the middle of the frame.
        `(() => {
          const frame = document.querySelector('[data-many="true"]');
          const { top, height } = frame.getBoundingClientRect();
          const covers = (one) => one.top <= top + height / 2 && one.bottom >= top + height / 2;
          return frame.scrollTop > ${top - 5000} && [...document.querySelectorAll('[data-rule]')].some((row) => covers(row.getBoundingClientRect()));
        })()`,
      );
    });
    const longest = await page.evaluate<number>("window.longest");
    say({ name: "10,000 rules: longest time the page was held up", ms: [longest] });
  });
}

buildConsole();
console.log(
  `Headless Chromium, loopback; load of the machine before: ${loadavg()[0]?.toFixed(1) ?? "?"}; milliseconds of ${RUNS} runs`,
);
console.log(`${"".padEnd(WIDTH)} ${"median".padStart(8)} ${"worst".padStart(8)}`);
const server = await startMockServer("large");
try {
  const parts = { loads: firstLoads, steps, rules: largeRules };
  for (const [name, part] of Object.entries(parts)) if (only === "" || only === name) await part(server);
} finally {
  await server.close();
}
