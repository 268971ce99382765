import { BaseSequencer, type TestSpecification } from "vitest/node";

/** It waits for clocks for six minutes and says nothing of it by its size, by which vitest begins the largest files first. */
export const WAITS_LONGEST = "e2e/fault-matrix/fault-matrix.e2e.test.ts";

/**
 * vitest's own order, in which the file that waits longest would come last, with nothing left to do beside it. It begins when the browsers, whose
 * files are the largest, leave it a processor: before the first of the agent's.
 */
export class WaitsLongestEarly extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isIt = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith(`/${WAITS_LONGEST}`);
    const others = sorted.filter((file) => !isIt(file));
    const place = others.findIndex(({ moduleId }) => /\/agent\/test\/[^/]+\.kernel\.test\.ts$/.test(moduleId));
    return place < 0 ? sorted : others.toSpliced(place, 0, ...sorted.filter(isIt));
  }
}
