import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Programs that read what a domain wants to know, and so what the kernel of the server could load. */
const READERS = ["module", "revert", "recover", "boot", "tend"];

const lines = (path: string): readonly string[] => readFileSync(join(import.meta.dirname, path), "utf8").split("\n");

test("whoever reads a domain's facts may read the kernel's modules, and can load none", () => {
  const units = readdirSync(import.meta.dirname).filter((name) =>
    READERS.some((reader) => new RegExp(`^holdfast-${reader}@?\\.service$`).test(name)),
  );
  expect(units).toHaveLength(READERS.length);
  for (const unit of units) {
    const own = lines(unit);
    const added = readdirSync(import.meta.dirname)
      .filter((name) => name.endsWith(".d") && name.startsWith(unit.replace(".service", "")))
      .flatMap((folder) => readdirSync(join(import.meta.dirname, folder)).flatMap((file) => lines(join(folder, file))));
    // Yes would hide /lib/modules from it.
    expect(own, unit).toContain("ProtectKernelModules=no");
    expect(own, unit).toContain("SystemCallFilter=@system-service");
    for (const line of added) {
      expect(line, unit).not.toMatch(/^ProtectKernelModules=/);
      expect(line, unit).not.toMatch(/^(?:SystemCallFilter=.*@module|CapabilityBoundingSet=.*CAP_SYS_MODULE)/);
    }
    for (const line of own) expect(line, unit).not.toMatch(/CAP_SYS_MODULE|^SystemCallFilter=.*@module/);
  }
});
