/** From the equations of a neuron to the expressions that a kernel computes in every step. */
import {
  type Expression,
  type HoistResult,
  hoist,
  input,
  leavesOf,
  parameter,
  substitute,
} from "../../expression/index.ts";
import { type NeuronEquations, type NeuronKernelOptions, neuronEquations } from "./equations.ts";

/** The step's expressions with everything that depends on parameters alone taken out. */
export interface NeuronProgram {
  readonly equations: NeuronEquations;
  /** What to compute once per parameter change, and the leaves still needed: these names are the kernel's constants. */
  readonly hoisted: HoistResult["hoisted"];
  readonly constants: readonly string[];
  readonly synaptic: readonly Expression[];
  readonly held: readonly Expression[];
  readonly membrane: readonly Expression[];
  readonly margin: Expression;
  readonly reset: readonly Expression[];
}

/** The current that the model feels, over the new synaptic currents. */
function totalCurrent(options: NeuronKernelOptions, equations: NeuronEquations): Expression {
  const noise = options.noise === "current" ? [input("noise").times(parameter("noiseStep"))] : [];
  const currents = equations.synapticStates.map((name) => input(`new ${name}`));
  return [...currents, ...noise].reduce((sum, part) => sum.plus(part), input("drive"));
}

export function neuronProgram(options: NeuronKernelOptions): NeuronProgram {
  const equations = neuronEquations(options);
  const current = totalCurrent(options, equations);
  // The step of the model starts from the voltage with its noise, and feels the total current.
  const start = (node: Expression): Expression | null => {
    if (node.op === "input" && node.name === "current") return current;
    const index = node.op === "state" ? equations.membraneStates.indexOf(node.name) : -1;
    return index < 0 ? null : equations.held[index];
  };
  const membrane = substitute(equations.membrane, start);
  const reset = equations.membraneStates.map((name) => options.membrane.reset[name]);
  const groups = [equations.synaptic, equations.held, membrane, [options.membrane.margin], reset];
  const { hoisted, outputs } = hoist(groups.flat());
  const parts = groups.map((group, g) => {
    const first = groups.slice(0, g).reduce((n, before) => n + before.length, 0);
    return outputs.slice(first, first + group.length);
  });
  const constants = new Set<string>();
  for (const node of leavesOf(outputs)) if (node.op === "hoisted" || node.op === "parameter") constants.add(node.name);
  return {
    equations,
    hoisted,
    constants: [...constants],
    synaptic: parts[0],
    held: parts[1],
    membrane: parts[2],
    margin: parts[3][0],
    reset: parts[4],
  };
}
