/** What a constant current of 1 drives the membrane to where the threshold is out of reach, relative to the threshold. */
import { ModelStepper, resolveModel } from "../../src/model/index.ts";

export function freeGain(type: string, dtMs: number): number {
  const resolved = resolveModel({ type, parameters: {} });
  const { threshold } = resolved.parameters;
  if (typeof threshold !== "number") return 1;
  const cells = new ModelStepper({ ...resolved, parameters: { ...resolved.parameters, threshold: 1e9 } }, 1, dtMs);
  for (let t = 0; t < 20_000; t++) cells.advance(0, 1);
  return Math.max(1, Object.values(cells.states)[0][0] / threshold);
}
