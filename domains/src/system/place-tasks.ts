import type { Finding } from "@holdfast/core/base/finding.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import type { SlotChange } from "./diff.ts";
import type { SystemObserved } from "./facts.ts";
import { finding } from "./findings.ts";
import type { SystemConfig } from "./model.ts";
import { taskOf, taskTimer } from "./task-text.ts";

/** Whether this server has what its tasks start, and who else starts it. */
export function taskFindings(
  { tasks }: SystemConfig,
  observed: SystemObserved,
  changes: readonly SlotChange[],
): readonly Finding[] {
  if (observed.units === null || observed.booting) return [];
  const { units, timers } = observed;
  const begun = changes.some(({ slot, kind }) => slot.startsWith("task:") && kind === "set")
    ? [
        finding(
          "system.task_not_taken_back",
          "system.tasks",
          "An undo takes a task away again, and not what it has started meanwhile.",
        ),
      ]
    : [];
  const each = Object.entries(tasks ?? {}).flatMap(([name, { unit }]): readonly Finding[] => {
    const path = formatPath(["system", "tasks", name]);
    const found = units[unit] ?? units[unit.replace(/@.*\./, "@.")];
    if (found === undefined || found.load === "not-found")
      return [finding("system.task_no_unit", `${path}.unit`, `There is no ${unit} on this server.`)];
    if (found.file === "masked" || found.load === "masked")
      return [
        finding("system.task_unit_masked", `${path}.unit`, `${unit} is masked on this server: nobody can start it.`),
      ];
    const by = timers[taskTimer(name)]?.dropIns ?? [];
    const overridden = by.map((file) =>
      finding("system.task_overridden", path, `${file} changes the timer of this task, after our own file.`),
    );
    const stays =
      units[unit]?.active === "active"
        ? [
            finding(
              "system.task_unit_stays",
              `${path}.unit`,
              `${unit} runs now and did not end by itself; as long as it runs, a task does not start it once more.`,
            ),
          ]
        : [];
    const others = Object.entries(timers)
      .filter(([timer, one]) => one.unit === unit && timer !== taskTimer(name) && one.next !== "")
      .map(([timer]) => timer);
    const also =
      others.length === 0
        ? []
        : [finding("system.task_also_timed", path, `${others.map(called).join(", ")} starts ${unit} too.`)];
    return [...overridden, ...stays, ...also];
  });
  return [...each, ...begun];
}

function called(timer: string): string {
  const task = taskOf(timer);
  return task === null ? timer : `The task ${task}`;
}
