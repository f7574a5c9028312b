/** A user's model that has no membrane: it counts its input. */
import { defineModel } from "../../dist/model/index.js";

export default defineModel({
  name: "counter",
  description: "Adds up its current.",
  source: "a test",
  parameters: {},
  states: { v: { unit: "1", initial: 0, doc: "the sum" } },
  step: ({ v, current }) => ({ v: v.plus(current) }),
  margin: ({ v }) => v.minus(1),
  reset: () => ({ v: 0 }),
});
