import { defineConfig } from "vitest/config";
import { whyNoKernelTests } from "./testkit/src/kernel-requirements.ts";
import { whyNoGuests } from "./testkit/src/vm/stock-kernel.ts";
import { WaitsLongestEarly } from "./testkit/src/waits-longest.ts";

/** Tests that need root and a real kernel; everything else is a unit test. */
const KERNEL_TESTS = ["**/*.kernel.test.ts", "e2e/**/*.e2e.test.ts"];
/** Those of them that measure what is lost, or take every processor for themselves: nothing else runs beside them. */
const ALONE = [
  "agent/test/packet-log.kernel.test.ts",
  "e2e/journeys/firewall-journeys.e2e.test.ts",
  "testkit/test/model.kernel.test.ts",
  "testkit/test/servers.kernel.test.ts",
];
/** Tests on a stock Debian kernel in QEMU: for what the kernels of test machines lack. */
const VM_TESTS = ["**/*.vm.test.ts"];
const ALWAYS_EXCLUDED = ["**/node_modules/**", "**/dist/**", ".tools/**", ".holdfast/**"];

const ON_REAL_SERVERS = {
  // Without the rights no test is chosen: each is reported as skipped (the closing lines say why) and no hook of theirs runs, for it would fail.
  ...(whyNoKernelTests() === undefined ? {} : { testNamePattern: /(?!)/ }),
  // A boot of a server, a trial with its whole window and an automatic undo fit in; a hang is still seen.
  testTimeout: 180_000,
  hookTimeout: 120_000,
  // What a page or a server is asked for again and again comes with it; what takes longer on a busy machine is broken.
  expect: { poll: { timeout: 12_000 } },
  // A shared machine that stands still for seconds moves what a test on real clocks measures. Which tests needed a second try stands above the
  // closing line; whoever develops sees the first failure at once.
  retry: process.env["CI"] === "true" ? 1 : 0,
};

// Vitest reads the default export.
export default defineConfig({
  test: {
    sequence: { sequencer: WaitsLongestEarly },
    reporters: ["default", "./testkit/src/closing-line-reporter.ts"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts", "**/*.test.tsx"],
          exclude: [...ALWAYS_EXCLUDED, ...KERNEL_TESTS, ...VM_TESTS],
          // Long enough for a test that starts a PostgreSQL on a busy two-core machine, short enough to show a hang.
          testTimeout: 45_000,
          hookTimeout: 30_000,
          // Left alone, vitest keeps one of two processors for itself.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "kernel",
          include: KERNEL_TESTS,
          exclude: [...ALWAYS_EXCLUDED, ...ALONE],
          ...ON_REAL_SERVERS,
          // Each has namespaces of its own and mostly waits for clocks: two at once take little more than half the time. The unit tests never run
          // beside them: they are another group.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "alone",
          include: ALONE,
          exclude: ALWAYS_EXCLUDED,
          ...ON_REAL_SERVERS,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "vm",
          include: VM_TESTS,
          exclude: ALWAYS_EXCLUDED,
          ...(whyNoGuests() === undefined ? {} : { testNamePattern: /(?!)/ }),
          fileParallelism: false,
          sequence: { groupOrder: 3 },
          // An emulated processor is some twenty times slower; a transaction starts four programs, and one test of the whole takes a dozen of them.
          testTimeout: process.env["HOLDFAST_VM"] === "whole" ? 2_400_000 : 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
