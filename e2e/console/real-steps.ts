/** What people do in the console of a real house: the same steps in several journeys. */
import { paths } from "@holdfast/console/paths.ts";
import { meSchema, oneTimePasswordSchema } from "@holdfast/core/api/account.ts";
import { Operator } from "@holdfast/testkit/operator/operator.ts";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { z } from "zod";
import { withBrowser } from "./browser.ts";
import { signIn } from "./steps.ts";

/** A trial with its whole window, and a server that is asked on a busy machine. */
export const WAIT_MS = 90_000;

const PASSWORD = "a longer password of mine";

export interface Person {
  readonly name: string;
  readonly password: string;
}

/** An account whose first sign-in is behind it. */
export async function makePerson(operator: Operator, name: string, permissions: readonly string[]): Promise<Person> {
  const { password } = await operator.call("createUser", {
    body: { name, permissions },
    answer: oneTimePasswordSchema,
  });
  const session = await new Operator(operator.url, "").call("login", {
    body: { user: name, password },
    answer: meSchema.extend({ sessionToken: z.string() }),
  });
  await new Operator(operator.url, session.sessionToken).call("changePassword", {
    body: { current: password, next: PASSWORD },
    answer: z.unknown(),
  });
  return { name, password: PASSWORD };
}

/** A browser of one person's own, signed in; the page must complain about nothing. */
export async function asPerson(
  url: string,
  person: Person,
  options: BrowserContextOptions,
  run: (page: Page) => Promise<void>,
): Promise<void> {
  await withBrowser({ viewport: { width: 1280, height: 900 }, locale: "en", ...options }, async (context) => {
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    await signIn(page, url, person.name, person.password);
    await run(page);
    expect(complaints).toEqual([]);
  });
}

/** Replaces the text of a document in the editor; it is in the pending change then. */
export async function writeText(page: Page, url: string, name: string, text: string): Promise<void> {
  await page.goto(`${url}${paths.editDocument("Policy", name, { view: "text" })}`);
  await page.getByRole("textbox", { name: `Text of ${name}` }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
  await page.getByText("1 pending edit").waitFor();
}

/** From the pending change to its plans. */
export async function review(page: Page, title: string): Promise<void> {
  await page.getByRole("button", { name: "Review…" }).click();
  await page.getByLabel("Title of the change").fill(title);
  await page.getByRole("button", { name: "Ask the servers" }).click();
  await page.getByRole("heading", { name: "What it would do, server by server" }).waitFor();
}

/** What a plan of a dangerous change asks for before it can be applied. */
export async function tickAndType(page: Page, word: string): Promise<void> {
  await page.getByRole("heading", { name: "What it would do, server by server" }).waitFor();
  for (const box of await page.getByLabel("I have read this and want it all the same").all()) await box.check();
  const typed = page.locator("#type-word");
  if ((await typed.count()) > 0) await typed.fill(word);
}

export async function applyReviewed(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Apply to \d+ servers?/ }).click();
  await page.waitForURL(/\/rollouts\//);
}

/** Waits for a text; what was there instead is what somebody has to know. */
export async function seen(page: Page, text: string): Promise<void> {
  try {
    await page.getByText(text).first().waitFor();
  } catch (error) {
    throw new Error(`${text} was not seen; the page says:\n${await page.locator("main").innerText()}`, {
      cause: error,
    });
  }
}

/** By the keyboard alone; what cannot be reached so is a fault of the page. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  const focused = target.and(page.locator(":focus"));
  for (let presses = 0; presses < MOST_TABS; presses += 1) {
    if ((await focused.count()) > 0) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${String(target)} is not reached within ${MOST_TABS} presses of Tab`);
}

/** More than any page has places to stop at. */
const MOST_TABS = 250;
