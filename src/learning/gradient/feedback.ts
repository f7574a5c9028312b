/**
 * Matrices through which errors reach a population instead of through the transposed weights (random e-prop; Bellec et
 * al., Nature Communications 2020). Random ones stay as they are drawn; adaptive ones get the updates of the weights too.
 */
import { padded } from "../../kernels/rows/walk.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import { fanIn } from "../initialisation/afferents.ts";
import type { Segment, ValueLayout } from "./layout.ts";
import type { MemberGroup } from "./member-group.ts";
import type { GradientNetwork } from "./spec.ts";

interface FeedbackMatrix {
  /** Its name among the optimiser's groups and in checkpoints. */
  readonly name: string;
  readonly projection: number;
  readonly values: Float32Array<ArrayBuffer>;
}

export class FeedbackMatrices {
  readonly all: readonly FeedbackMatrix[];
  /** Those that the optimiser moves. */
  readonly trained: readonly FeedbackMatrix[];
  readonly #network: GradientNetwork;
  readonly #members: MemberGroup;

  constructor(
    network: GradientNetwork,
    layout: ValueLayout,
    kind: "random" | "adaptive",
    seed: number,
    members: MemberGroup,
  ) {
    this.#network = network;
    this.#members = members;
    this.all = network.projections.flatMap(({ name, backward }, projection) =>
      backward === "feedback"
        ? [
            {
              name: `${name}.feedback`,
              projection,
              values: draw(network, projection, layout.weights[projection], seed),
            },
          ]
        : [],
    );
    this.trained = kind === "adaptive" ? this.all : [];
  }

  /** Gives the trained ones the gradients of their weights. */
  addGradients(gradients: Record<string, Float32Array>): void {
    for (const { projection, name, values } of this.trained) {
      // The matrix has rows of padding that the weights have not; these stay zero.
      gradients[name] = new Float32Array(values.length);
      gradients[name].set(gradients[this.#network.projections[projection].name]);
    }
  }

  /** Members work with copies: they must be told what has changed. */
  async send(matrices: readonly FeedbackMatrix[]): Promise<void> {
    for (const { projection, values } of matrices) await this.#members.setFeedback(projection, values);
  }
}

/** Normal with the standard deviation 1/sqrt(fan-in) of the weights. */
function draw(
  network: GradientNetwork,
  projection: number,
  { rows, columns, stride }: Segment,
  seed: number,
): Float32Array<ArrayBuffer> {
  const sd = 1 / Math.sqrt(fanIn(network, network.projections[projection]));
  const draws = new Float64Array(rows * columns);
  new Philox(seed).normal(streamOf(streamKind.feedback, projection), 0, draws);
  const values = new Float32Array(padded(rows) * stride);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < columns; i++) values[r * stride + i] = sd * draws[r * columns + i];
  }
  return values;
}
