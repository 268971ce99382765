import { OBJECTIVE_DAYS, OBJECTIVE_NAMES, OBJECTIVES, standingOf } from "@holdfast/core/objective/objective.ts";
import type { House } from "../../house.ts";
import { countObjectives } from "../../metrics/store/objectives.ts";
import { seenHouse } from "../../planning/places.ts";
import type { Handlers } from "../handler.ts";

export function objectiveHandlers(house: House): Pick<Handlers, "listObjectives"> {
  return {
    async listObjectives({ caller }) {
      const seen = await seenHouse(house, caller);
      const counted = await countObjectives(seen.database);
      const items = OBJECTIVE_NAMES.map((name) => {
        const { all, good } = counted[name];
        return { name, ...OBJECTIVES[name], counted: all, good, ...standingOf(OBJECTIVES[name], counted[name]) };
      });
      return { value: { days: OBJECTIVE_DAYS, items } };
    },
  };
}
