/** Networks drawn at random, for properties that must hold for all of them. */
import fc from "fast-check";
import type { StepEvents } from "../../src/data/labelled-set.ts";
import { constant, exp } from "../../src/expression/build.ts";
import type { Surrogate } from "../../src/expression/node.ts";
import { surrogates } from "../../src/expression/surrogates.ts";
import type { OutputLoss } from "../../src/learning/gradient/reference.ts";
import type {
  GradientNetwork,
  NetworkValues,
  PopulationSpec,
  ProjectionSpec,
  SourceRange,
  SparseRows,
} from "../../src/learning/gradient/spec.ts";
import { isShared, synapseCount } from "../../src/learning/gradient/spec.ts";
import { poolingModels, readoutModels } from "../../src/model/built-in.ts";
import { defineModel, type Model, type PerNeuron } from "../../src/model/define.ts";
import { straightThrough } from "../../src/model/pooling.ts";
import { builtInModel, resolveModel } from "../../src/model/resolve.ts";
import type { SharedRows } from "../../src/network/shared-rows.ts";
import { type Draws, openDraws } from "../../src/random/draws.ts";

/** Models for hidden populations, with a current that makes them fire at the default constants and 1 ms steps. */
const hiddenModels: Readonly<Record<string, number>> = {
  LIF: 5,
  CuBaLIF: 8,
  GLIF3: 5,
  GLIF5: 5,
  ALIF: 8,
  adLIF: 6,
  BellecLIF: 0.5,
  BellecALIF: 0.5,
  GennLIF: 0.5,
  GennALIF: 0.5,
  StorkLIF: 5,
  StorkExcInhLIF: 5,
  StorkSubtractLIF: 5,
  SpyTorchLIF: 0.6,
  PerezNievesLIF: 5,
  SnnTorchSynaptic: 0.4,
  NorseLIF: 5,
  Or: 1,
};

/** A readout of two inputs. */
const ExcInhLI = defineModel({
  name: "ExcInhLI",
  description: "",
  source: "",
  parameters: {
    tauMemMs: { unit: "ms", default: 20, exclusiveMin: 0, doc: "" },
    tauInhMs: { unit: "ms", default: 5, exclusiveMin: 0, doc: "" },
  },
  states: { y: { unit: "1", initial: 0, doc: "" }, i: { unit: "1", initial: 0, doc: "" } },
  inputs: ["excitation", "inhibition"],
  step: ({ y, i, excitation, inhibition, dtMs, tauMemMs, tauInhMs }) => ({
    y: y
      .times(exp(dtMs.negated().over(tauMemMs)))
      .plus(excitation)
      .minus(i),
    i: i.times(exp(dtMs.negated().over(tauInhMs))).plus(inhibition),
  }),
  margin: () => constant(-1),
  reset: () => ({}),
});

const surrogateChoices: readonly Surrogate[] = [
  surrogates.fastSigmoid(5),
  surrogates.triangle(0.5, 0.8),
  surrogates.sigmoid(4),
  surrogates.arctan(2),
  surrogates.boxcar(0.5, 1),
  surrogates.sparseFastSigmoid(10, 0.5),
  surrogates.multiGaussian(),
  straightThrough,
];

export interface RandomCase {
  readonly network: GradientNetwork;
  readonly values: NetworkValues<Float32Array<ArrayBuffer>>;
  readonly feedback: (Float32Array | null)[];
  /** Dropout: by sample and population, what a spike of each neuron counts for. */
  readonly sent: readonly (Float32Array | null)[][];
  readonly samples: readonly StepEvents[];
  /** By sample and population. */
  readonly costs: readonly (Float32Array | null)[][];
  readonly costsOverTime: boolean;
  /** 0: not truncated. */
  readonly truncateSteps: number;
  readonly tapeBytes: number;
  readonly loss: OutputLoss;
}

/** 1/2 sum (y - target)^2 with a wavy target. */
export const squaredError: OutputLoss = (outputs) => {
  let loss = 0;
  const derivative = outputs.map((y, i) => {
    const error = y - ((i * 7) % 5) / 4;
    loss += 0.5 * error * error;
    return error;
  });
  return { loss, derivative };
};

interface Shape {
  readonly seed: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly hidden: readonly {
    readonly model: string;
    readonly size: number;
    readonly surrogate: number;
    readonly detachReset: boolean;
    readonly perNeuron: boolean;
    readonly trainable: boolean;
    readonly bias: boolean;
    readonly refractory: number;
    readonly dropout: number;
  }[];
  readonly readout: "LI" | "CuBaLI" | "ExcInhLI";
  readonly trainableReadout: boolean;
  readonly steps: readonly number[];
  readonly valued: boolean;
  readonly truncateSteps: number;
  readonly tapeBytes: number;
  readonly costs: "none" | "constant" | "overTime";
}

export interface RandomOptions {
  /** Only what e-prop in its forward form can do: nothing flows back between hidden populations, nothing is truncated. */
  readonly eprop?: boolean;
  /** Every connection has a weight of its own, and all spikes are sent. */
  readonly plain?: boolean;
  /** Of hidden populations. Default: all that are known here. */
  readonly models?: readonly string[];
  /** Lengths of the samples. */
  readonly steps?: readonly number[];
}

export function randomCases(options: RandomOptions = {}): fc.Arbitrary<RandomCase> {
  return fc
    .record<Shape>({
      seed: fc.nat(2 ** 30),
      inputs: fc.integer({ min: 1, max: 7 }),
      outputs: fc.integer({ min: 1, max: 5 }),
      hidden: fc.array(
        fc.record({
          model: fc.constantFrom(...(options.models ?? Object.keys(hiddenModels))),
          size: fc.integer({ min: 1, max: 9 }),
          surrogate: fc.nat(surrogateChoices.length - 1),
          detachReset: fc.boolean(),
          perNeuron: fc.boolean(),
          trainable: fc.boolean(),
          bias: fc.boolean(),
          refractory: fc.nat(3),
          dropout: options.plain ? fc.constant(0) : fc.constantFrom(0, 0, 0.5),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      readout: fc.constantFrom("LI", "CuBaLI", "ExcInhLI"),
      trainableReadout: fc.boolean(),
      steps: options.steps
        ? fc.constant(options.steps)
        : fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 2 }),
      valued: fc.boolean(),
      truncateSteps: options.eprop ? fc.constant(0) : fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 })),
      tapeBytes: fc.constantFrom(1, 700, 64 * 2 ** 20),
      costs: fc.constantFrom("none", "constant", "overTime"),
    })
    .map((shape) => ({ ...build(shape, options), [fc.toStringMethod]: () => JSON.stringify(shape) }));
}

function drawParameters(model: Model, size: number, perNeuron: boolean, refractory: number, draws: Draws) {
  const parameters: Record<string, PerNeuron> = {};
  for (const [name, { default: value, unit, min, exclusiveMin }] of Object.entries(model.parameters)) {
    const draw = (): number => {
      if (name === "refractoryMs") return Math.floor(draws.uniform() * (refractory + 1));
      const moved =
        unit === "ms"
          ? value * (0.6 + draws.uniform())
          : value + 0.3 * (draws.uniform() - 0.5) * Math.max(0.5, Math.abs(value));
      return Math.max(moved, min ?? -Infinity, exclusiveMin === undefined ? -Infinity : exclusiveMin + 1e-3);
    };
    parameters[name] = perNeuron ? Float32Array.from({ length: size }, draw) : Math.fround(draw());
  }
  return parameters;
}

function drawRange(size: number, draws: Draws): SourceRange {
  const from = Math.floor(draws.uniform() * size);
  return { from, to: from + 1 + Math.floor(draws.uniform() * (size - from)) };
}

function drawRows(sources: number, targets: number, draws: Draws): SparseRows {
  const rows = Array.from({ length: sources }, () =>
    Array.from({ length: targets }, (_, j) => j).filter(() => draws.uniform() < 0.5),
  );
  const offsets = new Uint32Array(sources + 1);
  for (const [i, row] of rows.entries()) offsets[i + 1] = offsets[i] + row.length;
  return { offsets, targets: Uint32Array.from(rows.flat()) };
}

/** Up to 3 blocks for every source. */
function drawShared(sources: number, targets: number, draws: Draws): SharedRows {
  const below = (n: number): number => Math.floor(draws.uniform() * n);
  const [width, rows] = [1 + below(targets), 1 + below(6)];
  const offsets = new Uint32Array(sources + 1);
  for (let i = 0; i < sources; i++) offsets[i + 1] = offsets[i] + below(4);
  const each = (draw: () => number) => Uint32Array.from({ length: offsets[sources] }, draw);
  return {
    width,
    rows,
    offsets,
    weightRows: each(() => below(rows)),
    firstTargets: each(() => below(targets - width + 1)),
  };
}

function drawEvents(steps: number, inputs: number, valued: boolean, draws: Draws): StepEvents {
  const offsets = new Uint32Array(steps + 1);
  const channels: number[] = [];
  for (let t = 0; t < steps; t++) {
    for (let i = 0; i < inputs; i++) if (draws.uniform() < 0.3) channels.push(i);
    offsets[t + 1] = channels.length;
  }
  const values = valued ? Float32Array.from(channels, () => 0.3 + 1.4 * draws.uniform()) : null;
  return { steps, offsets, channels: Uint32Array.from(channels), values };
}

function build(shape: Shape, { eprop = false, plain = false }: RandomOptions): RandomCase {
  const draws = openDraws(shape.seed, "network");
  const chance = (p: number): boolean => draws.uniform() < p;
  const delay = (least: number): number => least + Math.floor(draws.uniform() * (4 - least));
  const populations: PopulationSpec[] = shape.hidden.map((given, p) => {
    const model = poolingModels[given.model] ?? builtInModel(given.model);
    const parameters = drawParameters(model, given.size, given.perNeuron, given.refractory, draws);
    return {
      name: `hidden ${p}`,
      size: given.size,
      model: resolveModel({ type: model.name, parameters }, given.size, model),
      surrogate: surrogateChoices[given.surrogate],
      detachReset: given.detachReset,
      trainable: given.trainable
        ? Object.keys(parameters).filter((name) => name !== "refractoryMs" && chance(0.7))
        : [],
      bias: given.bias,
      dropout: given.dropout,
    };
  });
  const readout = readoutModels[shape.readout] ?? ExcInhLI;
  populations.push({
    name: "readout",
    size: shape.outputs,
    model: resolveModel(
      { type: readout.name, parameters: drawParameters(readout, shape.outputs, chance(0.5), 0, draws) },
      shape.outputs,
      readout,
    ),
    surrogate: surrogates.none(),
    detachReset: true,
    trainable: shape.trainableReadout ? ["tauMemMs"] : [],
    bias: chance(0.5),
  });
  const last = shape.hidden.length;
  const projections: ProjectionSpec[] = [];
  const sizeOf = (p: number | "input"): number => (p === "input" ? shape.inputs : populations[p].size);
  const connect = (source: number | "input", target: number, least: number, certain: boolean): void => {
    if (!certain && chance(0.5)) return;
    const outward = target === last;
    const way = draws.uniform();
    const kind = draws.uniform();
    const { inputs } = populations[target].model.model;
    const sources = source === "input" || chance(0.7) ? undefined : drawRange(sizeOf(source), draws);
    const sizes = [sources === undefined ? sizeOf(source) : sources.to - sources.from, sizeOf(target)] as const;
    const connectivity =
      kind < 0.4 ? "dense" : kind < 0.7 || plain ? drawRows(...sizes, draws) : drawShared(...sizes, draws);
    projections.push({
      name: `${source} to ${target}`,
      source,
      target,
      ...(inputs.length === 1 ? {} : { into: inputs[Math.floor(draws.uniform() * inputs.length)] }),
      ...(sources === undefined ? {} : { sources }),
      delaySteps: delay(least),
      connectivity,
      gain: chance(0.3) ? 0.25 + draws.uniform() : undefined,
      backward:
        eprop && !outward ? "none" : way < 0.2 && !(eprop && outward) ? "none" : way < 0.6 ? "feedback" : "weights",
      trained: chance(0.85),
    });
  };
  for (let p = 0; p < last; p++) {
    connect("input", p, 0, p === 0);
    for (let q = 0; q < last; q++) connect(q, p, q < p ? 0 : 1, q === p - 1);
    connect(p, last, 0, p === last - 1 || eprop);
  }
  connect("input", last, 0, false);
  const network: GradientNetwork = { dtMs: 1, inputs: shape.inputs, populations, projections, readout: last };

  const drawWeights = (count: number, gain: number, sources: number) =>
    Float32Array.from({ length: count }, () => (gain * (0.15 + 0.7 * draws.normal())) / Math.sqrt(0.3 * sources + 0.5));
  const gainOf = (target: number): number => (target === last ? 0.6 : hiddenModels[shape.hidden[target].model]);
  const values = {
    weights: projections.map((projection) => {
      const { target, source, connectivity, gain = 1 } = projection;
      // Shared weights meet some two blocks of a source.
      const sources = isShared(connectivity) ? 2 * sizeOf(source) : sizeOf(source);
      return drawWeights(synapseCount(network, projection), gainOf(target) / gain, sources);
    }),
    bias: populations.map(({ bias, size }, p) =>
      bias ? Float32Array.from({ length: size }, () => 0.2 * gainOf(p) * draws.normal()) : null,
    ),
    constants: populations.map(({ trainable, size, model }) =>
      Object.fromEntries(
        trainable.map((name) => {
          const value = model.parameters[name];
          const drawn = typeof value === "number" ? new Float32Array(size).fill(value) : Float32Array.from(value);
          return [name, drawn.map((x, i) => Math.fround(x * (1 + 0.02 * (i % 3))))];
        }),
      ),
    ),
  };
  const samples = shape.steps.map((steps) => drawEvents(steps, shape.inputs, shape.valued, draws));
  return {
    network,
    values,
    feedback: projections.map((projection, k) =>
      projection.backward === "feedback" ? values.weights[k].map(() => 0.5 * draws.normal()) : null,
    ),
    sent: samples.map(() =>
      populations.map(({ dropout = 0, size }) =>
        dropout === 0
          ? null
          : Float32Array.from({ length: size }, () => (draws.uniform() < dropout ? 0 : 1 / (1 - dropout))),
      ),
    ),
    samples,
    costs: samples.map(({ steps }) =>
      populations.map(({ size }, p) =>
        shape.costs === "none" || p === last
          ? null
          : Float32Array.from({ length: shape.costs === "constant" ? size : steps * size }, () => 0.2 * draws.normal()),
      ),
    ),
    costsOverTime: shape.costs === "overTime",
    truncateSteps: shape.truncateSteps,
    tapeBytes: shape.tapeBytes,
    loss: squaredError,
  };
}

const largestOf = (list: ArrayLike<number>): number =>
  Array.from(list).reduce((top, x) => Math.max(top, Math.abs(x)), 0);

/**
 * By array of gradients: the largest difference, relative to the largest entry wanted, and that entry. A gradient that is
 * small only because its terms cancel has the rounding of its terms: the scale is at least 1/100 of the largest of all.
 */
export function gradientDifferences(
  network: GradientNetwork,
  actual: NetworkValues<ArrayLike<number>>,
  wanted: NetworkValues<ArrayLike<number>>,
): { readonly name: string; readonly difference: number; readonly largest: number }[] {
  const expected = gradientArrays(network, wanted).map(({ values }) => ({ values, largest: largestOf(values) }));
  const overall = Math.max(1e-4, ...expected.map(({ largest }) => largest));
  return gradientArrays(network, actual).map(({ name, values }, a) => {
    const { values: those, largest } = expected[a];
    if (values.length !== those.length) throw new Error(`${name}: ${values.length} entries, not ${those.length}`);
    const differences = Array.from(values, (x, i) => (Number.isNaN(x) ? Infinity : Math.abs(x - those[i])));
    return { name, difference: largestOf(differences) / Math.max(largest, 1e-2 * overall), largest };
  });
}

/** All arrays of gradients with names, in one order. */
function gradientArrays<A extends ArrayLike<number>>(
  { populations, projections }: GradientNetwork,
  gradients: NetworkValues<A>,
): { readonly name: string; readonly values: A }[] {
  return [
    ...projections.map(({ name }, k) => ({ name: `weights ${name}`, values: gradients.weights[k] })),
    ...populations.flatMap(({ name }, p) => {
      const bias = gradients.bias[p];
      const constants = Object.entries(gradients.constants[p]);
      return [
        ...(bias === null ? [] : [{ name: `bias of ${name}`, values: bias }]),
        ...constants.map(([key, values]) => ({ name: `${key} of ${name}`, values })),
      ];
    }),
  ];
}

/** a + b, entry by entry. */
export function addGradients(
  { populations }: GradientNetwork,
  a: NetworkValues<Float64Array>,
  b: NetworkValues<Float64Array>,
): NetworkValues<Float64Array> {
  const sum = (x: Float64Array, y: Float64Array): Float64Array => x.map((value, i) => value + y[i]);
  return {
    weights: a.weights.map((weights, k) => sum(weights, b.weights[k])),
    bias: a.bias.map((bias, p) => (bias === null ? null : sum(bias, b.bias[p] as Float64Array))),
    constants: populations.map((_, p) =>
      Object.fromEntries(
        Object.entries(a.constants[p]).map(([name, values]) => [name, sum(values, b.constants[p][name])]),
      ),
    ),
  };
}
