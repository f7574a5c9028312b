/** The documentation of a model, from the model itself. */

import type { Expression } from "../expression/node.ts";
import type { Initial, Model, ParameterDefinition } from "./define.ts";
import { hoistModel } from "./hoist.ts";

function range({ min, max, exclusiveMin, exclusiveMax }: ParameterDefinition): string {
  const parts = [
    exclusiveMin !== undefined ? `> ${exclusiveMin}` : min !== undefined ? `>= ${min}` : "",
    exclusiveMax !== undefined ? `< ${exclusiveMax}` : max !== undefined ? `<= ${max}` : "",
  ].filter((part) => part !== "");
  return parts.join(", ") || "any";
}

function start(initial: Initial<Expression>): string {
  if (initial.kind === "constant") return String(initial.value);
  if (initial.kind === "normal") return `normal: mean ${initial.mean}, s.d. ${initial.sd}`;
  return `uniform: ${initial.low} to ${initial.high}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)];
}

const equations = (record: Readonly<Record<string, Expression>>): string[] =>
  Object.entries(record)
    .filter(([name, expression]) => expression.op !== "state" || expression.name !== name)
    .map(([name, expression]) => `    ${name} <- ${expression}`);

/** Markdown: what the model is, its parameters and states, and the equations as they are computed. */
export function describeModel(model: Model): string {
  const { hoisted, step, margin, reset } = hoistModel(model);
  const neverSpikes = margin.op === "constant" && margin.value <= 0;
  const parameters = Object.entries(model.parameters).map(([name, p]) => [
    `\`${name}\``,
    p.unit,
    String(p.default),
    range(p),
    p.doc,
  ]);
  const states = Object.entries(model.states).map(([name, s]) => [`\`${name}\``, s.unit, start(s.initial), s.doc]);
  const once = hoisted.map(({ name, expression }) => `    ${name} = ${expression}`);
  return [
    `### ${model.name}`,
    "",
    `${model.description} Source: ${model.source}.`,
    "",
    ...table(["parameter", "unit", "default", "range", "meaning"], parameters),
    "",
    ...table(["state", "unit", "at the start of a trial", "meaning"], states),
    "",
    ...(once.length > 0 ? ["Once per change of parameters:", "", ...once, ""] : []),
    ...(model.inputs.length > 1 ? [`Inputs, in this order: ${model.inputs.join(", ")}.`, ""] : []),
    "Each step:",
    "",
    ...equations(step),
    ...(neverSpikes
      ? ["    (never spikes)"]
      : [`    spike if ${margin} > 0, then`, ...equations(reset).map((line) => `  ${line}`)]),
    "",
  ].join("\n");
}
