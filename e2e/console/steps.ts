import type { Page } from "playwright-core";

/** Through the real login page. The mock's account with every permission. */
export async function signIn(page: Page, url: string, user = "admin", password = "correct horse"): Promise<void> {
  await page.goto(`${url}/login`);
  await page.locator("#user").fill(user);
  await page.locator("#password").fill(password);
  await page.locator("button[type=submit]").click();
  await page.waitForURL((address) => !address.pathname.startsWith("/login"));
}
