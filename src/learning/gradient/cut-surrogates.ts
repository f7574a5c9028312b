/** The cut surrogates of a training (surrogate.ts) as they are now: one that no neuron comes within is widened. */
import { complete } from "../losses/description.ts";
import type { MemberGroup } from "./member-group.ts";
import { type CutSurrogate, isCut, surrogateKinds, widened } from "./surrogate.ts";
import type { PopulationChoice } from "./training-spec.ts";

interface PopulationSurrogate {
  readonly population: number;
  readonly name: string;
  surrogate: Required<CutSurrogate>;
}

export class CutSurrogates {
  readonly #surrogates: readonly PopulationSurrogate[];
  readonly #members: MemberGroup;

  constructor(populations: readonly PopulationChoice[], members: MemberGroup) {
    this.#surrogates = populations.flatMap(({ name, surrogate }, population) =>
      surrogate !== undefined && isCut(surrogate)
        ? [{ population, name, surrogate: complete("surrogate", surrogate, surrogateKinds) as Required<CutSurrogate> }]
        : [],
    );
    this.#members = members;
  }

  /** Widths by name of the population. */
  widths(): Record<string, number> {
    return Object.fromEntries(this.#surrogates.map(({ name, surrogate }) => [name, surrogate.width]));
  }

  /** Widths that are not given stay as they are. */
  async restore(widths: Readonly<Record<string, number>>): Promise<void> {
    for (const own of this.#surrogates) await this.#setWidth(own, widths[own.name] ?? own.surrogate.width);
  }

  /**
   * Doubles the width of those that nobody came within.
   * @param nearest by population: smallest distance to threshold in the whole batch
   * @returns those that were widened
   */
  async widen(nearest: readonly number[]): Promise<{ population: number; width: number }[]> {
    const wider: { population: number; width: number }[] = [];
    for (const own of this.#surrogates) {
      const width = widened(own.surrogate.width, nearest[own.population]);
      if (await this.#setWidth(own, width)) wider.push({ population: own.population, width });
    }
    return wider;
  }

  /** @returns whether it is another one */
  async #setWidth(own: PopulationSurrogate, width: number): Promise<boolean> {
    if (width === own.surrogate.width) return false;
    own.surrogate = { ...own.surrogate, width };
    await this.#members.setSurrogate(own.population, own.surrogate);
    return true;
  }
}
