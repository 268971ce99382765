import AxeBuilder from "@axe-core/playwright";
import type { Page } from "playwright-core";

/**
 * Findings of axe on the page as it is, or in a part of it, and whether it is wider than the screen. Contrast takes most of axe's time and is the same in
 * every language: whoever looks at words alone leaves it out.
 */
export async function flawsOf(
  page: Page,
  within: string | null = null,
  isContrastKnown = false,
): Promise<readonly string[]> {
  // What passes is not told, and all is judged in the page itself instead of in a second one: the console has no frames, and both take most of the time.
  const axe = new AxeBuilder({ page }).options({ resultTypes: ["violations"] }).setLegacyMode(true);
  if (isContrastKnown) axe.disableRules(["color-contrast"]);
  const { violations } = await (within === null ? axe : axe.include(within)).analyze();
  const overflow = await page.evaluate<number>(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
  return [
    ...violations.map(
      ({ id, nodes }) =>
        `${id} ${nodes[0]?.html.slice(0, 160) ?? ""} ${nodes[0]?.failureSummary?.split("\n")[1] ?? ""}`,
    ),
    ...(overflow > 0 ? [`${overflow} px wider than the screen`] : []),
  ];
}
