import type { House } from "../house.ts";
import { type Composition, composer } from "./compose-for.ts";
import { type Edit, touches } from "./selection.ts";
import type { World } from "./world.ts";

/**
 * The servers that a change concerns, each as it would be. Documents that a server holds, or would hold, concern it; a group or another
 * server's document also when what they say ends up in its config.
 */
export function concernedBy(
  house: Pick<House, "languages" | "controlPlane">,
  world: World,
  edits: readonly Edit[],
): readonly Composition[] {
  const after = composer(house, world, edits);
  const before = composer(house, world, []);
  const mayReachOthers = edits.some((edit) => edit.kind === "Group" || edit.kind === "Server");
  return world.servers.flatMap((server) => {
    const composition = after(server);
    if (touches(world, server, edits, composition.selected)) return [composition];
    if (!mayReachOthers) return [];
    return before(server).config?.digest === composition.config?.digest ? [] : [composition];
  });
}
