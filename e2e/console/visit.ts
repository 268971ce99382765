/** What the console's tests begin with: a build, a browser, a mock control plane of their own, and that nothing was complained about. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Scenario } from "@holdfast/console/mock-api/seed.ts";
import { REPOSITORY_ROOT } from "@holdfast/testkit/repository.ts";
import type { BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { withBrowser } from "./browser.ts";
import { type MockServer, startMockServer } from "./mock-server.ts";

/** A page that needs longer than this on a busy machine is broken. */
export const WAIT_MS = 12_000;

export interface Visit {
  readonly page: Page;
  readonly server: MockServer;
  /** What the browser complained about: refused styles and scripts, exceptions. */
  readonly complaints: readonly string[];
}

export async function visit(
  scenario: Scenario,
  options: BrowserContextOptions,
  run: (visit: Visit) => Promise<void>,
): Promise<void> {
  const server = await startMockServer(scenario);
  try {
    await withBrowser({ viewport: { width: 1280, height: 900 }, locale: "en", ...options }, async (context) => {
      const page = await context.newPage();
      page.setDefaultTimeout(WAIT_MS);
      const complaints: string[] = [];
      context.on("console", (message) => {
        if (message.type() === "error" && !message.text().includes("Failed to load resource"))
          complaints.push(message.text());
      });
      context.on("weberror", (error) => complaints.push(error.error().message));
      await run({ page, server, complaints });
      expect(complaints).toEqual([]);
    });
  } finally {
    await server.close();
  }
}

export async function open(page: Page, server: MockServer, path: string): Promise<void> {
  await page.goto(`${server.url}${path}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  // The stream of events never lets the network be idle: done is when nothing waits any more.
  await expect.poll(() => page.locator(".pf-v6-c-spinner").count(), { timeout: WAIT_MS }).toBe(0);
}

export function buildConsole(): void {
  const built = spawnSync(join(REPOSITORY_ROOT, "deploy/dev/build-console.sh"), { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`the console could not be built:\n${built.stderr}`);
}
