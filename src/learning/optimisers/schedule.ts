/**
 * Schedules: a factor on every learning rate, step by step. Several multiply: ease-in together with plateau is the
 * schedule of Nowotny et al. (2025). With s the step, counted from 0, and e = floor(s / steps per epoch):
 *
 *   constant     1
 *   cosine       (s+1)/W during the W warm-up steps; then final + (1 - final) (1 + cos(pi p)) / 2, p from 0 to 1
 *   step         factor^floor(e / everyEpochs)
 *   exponential  factor^e
 *   easeIn       min(1, start growth^s)
 *   plateau      times factor whenever the reported loss has not fallen for `patience` epochs
 */
import { dataError, UserError } from "../../base/errors.ts";
import { cos, integerPower } from "../../math/elementary.ts";
import { complete, type Kinds } from "../losses/description.ts";

export type ScheduleDescription =
  | { readonly type: "constant" }
  | {
      readonly type: "cosine";
      /** Linear rise at the start. Default 0. */
      readonly warmUpEpochs?: number;
      /** Where the fall ends. Default null: with the training. */
      readonly epochs?: number | null;
      /** Factor at the end. Default 0. */
      readonly final?: number;
    }
  | {
      readonly type: "step";
      /** Default 10. */
      readonly everyEpochs?: number;
      /** Default 0.5. */
      readonly factor?: number;
    }
  | {
      readonly type: "exponential";
      /** Per epoch. Default 0.95. */
      readonly factor?: number;
    }
  | {
      readonly type: "easeIn";
      /** Factor of the first step. Default 1e-3. */
      readonly start?: number;
      /** Per step. Default 1.05. */
      readonly growth?: number;
    }
  | {
      readonly type: "plateau";
      /** Default 0.5. */
      readonly factor?: number;
      /** Epochs without improvement that are put up with. Default 5. */
      readonly patience?: number;
      /** A loss must fall by this share of the best to count as better. Default 1e-4. */
      readonly threshold?: number;
      /** The factor never falls below this. Default 1e-3. */
      readonly minimum?: number;
    };

const fraction = { above: 0, max: 1 } as const;
export const scheduleKinds: Kinds<ScheduleDescription> = {
  constant: {},
  cosine: {
    warmUpEpochs: { default: 0, min: 0 },
    epochs: { default: null, above: 0 },
    final: { default: 0, min: 0, max: 1 },
  },
  step: { everyEpochs: { default: 10, min: 1, integer: true }, factor: { default: 0.5, ...fraction } },
  exponential: { factor: { default: 0.95, ...fraction } },
  easeIn: { start: { default: 1e-3, ...fraction }, growth: { default: 1.05, above: 1 } },
  plateau: {
    factor: { default: 0.5, ...fraction },
    patience: { default: 5, min: 0, integer: true },
    threshold: { default: 1e-4, min: 0, below: 1 },
    minimum: { default: 1e-3, min: 0, max: 1 },
  },
};

/** How long the training is. */
export interface TrainingLength {
  readonly epochs: number;
  readonly stepsPerEpoch: number;
}

/** What a plateau schedule remembers. JSON-safe. */
export interface PlateauState {
  /** Smallest loss so far; null before the first report. */
  readonly best: number | null;
  readonly epochsWithoutImprovement: number;
  readonly factor: number;
}

/** One entry per description, null where nothing is remembered. JSON-safe. */
export type ScheduleState = readonly (PlateauState | null)[];

export interface Schedule {
  /** Factor on the learning rates of a step, counted from 0. */
  factor(step: number): number;
  /** Tells the loss on the validation data (lower is better) at the end of an epoch. */
  report(loss: number): void;
  state(): ScheduleState;
  /** @throws UserError if the state is that of another schedule */
  restore(state: ScheduleState): void;
}

/** One of the multiplied factors. */
interface Part {
  factor(step: number): number;
  /** Present if it remembers. */
  readonly plateau?: Plateau;
}

class Plateau implements Part {
  readonly plateau = this;
  readonly #settings: Required<Extract<ScheduleDescription, { type: "plateau" }>>;
  state: PlateauState = { best: null, epochsWithoutImprovement: 0, factor: 1 };

  constructor(settings: Required<Extract<ScheduleDescription, { type: "plateau" }>>) {
    this.#settings = settings;
  }

  factor(): number {
    return this.state.factor;
  }

  report(loss: number): void {
    const { factor, patience, threshold, minimum } = this.#settings;
    const { best, epochsWithoutImprovement, factor: current } = this.state;
    if (loss < (best === null ? Infinity : best - threshold * Math.abs(best))) {
      this.state = { best: loss, epochsWithoutImprovement: 0, factor: current };
    } else if (epochsWithoutImprovement < patience) {
      this.state = { best, epochsWithoutImprovement: epochsWithoutImprovement + 1, factor: current };
    } else {
      this.state = { best, epochsWithoutImprovement: 0, factor: Math.max(minimum, current * factor) };
    }
  }
}

function cosine(warmUpEpochs: number, epochs: number, final: number, stepsPerEpoch: number, path: string): Part {
  const warmUp = Math.round(warmUpEpochs * stepsPerEpoch);
  const end = Math.round(epochs * stepsPerEpoch);
  if (warmUp >= end) {
    throw new UserError(
      `${path}.warmUpEpochs is ${warmUpEpochs}, which leaves nothing of ${epochs} epochs; give a smaller number`,
    );
  }
  return {
    factor(step) {
      if (step < warmUp) return (step + 1) / warmUp;
      const progress = Math.min(1, (step - warmUp) / (end - warmUp));
      return final + (1 - final) * 0.5 * (1 + cos(Math.PI * progress));
    },
  };
}

function makePart(description: ScheduleDescription, { epochs, stepsPerEpoch }: TrainingLength, path: string): Part {
  const settings = complete(path, description, scheduleKinds);
  const epochOf = (step: number) => Math.floor(step / stepsPerEpoch);
  switch (settings.type) {
    case "constant":
      return { factor: () => 1 };
    case "cosine":
      return cosine(settings.warmUpEpochs, settings.epochs ?? epochs, settings.final, stepsPerEpoch, path);
    case "step":
      return { factor: (step) => integerPower(settings.factor, Math.floor(epochOf(step) / settings.everyEpochs)) };
    case "exponential":
      return { factor: (step) => integerPower(settings.factor, epochOf(step)) };
    case "easeIn":
      return { factor: (step) => Math.min(1, settings.start * integerPower(settings.growth, step)) };
    case "plateau":
      return new Plateau(settings);
  }
}

/**
 * @param description one, or several whose factors multiply
 * @param path where the description stands, for messages
 * @throws UserError for settings that are unknown, out of range or exclude each other
 */
export function makeSchedule(
  description: ScheduleDescription | readonly ScheduleDescription[],
  length: TrainingLength,
  path = "schedule",
): Schedule {
  const parts = Array.isArray(description)
    ? description.map((one, i) => makePart(one, length, `${path}.${i}`))
    : [makePart(description as ScheduleDescription, length, path)];
  return {
    factor: (step) => parts.reduce((product, part) => product * part.factor(step), 1),
    report(loss) {
      for (const { plateau } of parts) plateau?.report(loss);
    },
    state: () => parts.map(({ plateau }) => plateau?.state ?? null),
    restore(state) {
      if (state.length !== parts.length || parts.some((part, i) => !part.plateau !== (state[i] === null))) {
        throw dataError("the state is that of another schedule; resume with the schedule that the run began with");
      }
      parts.forEach((part, i) => {
        if (part.plateau) part.plateau.state = state[i] as PlateauState;
      });
    },
  };
}
