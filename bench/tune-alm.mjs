/**
 * Which settings follow the ALM recording best? Figures of a seeded half of the neurons only, so that settings can be
 * chosen on them; `--final` prints the other half, for the settings that were chosen.
 *
 *   npm run build && node bench/tune-alm.mjs copies=2 learning.block=10 iterations=100 [--final] [--threads 2] [--trials 20]
 *
 * Settings are paths of the experiment (docs/experiment.md) on top of the preset `alm`.
 */
import { parseArgs } from "node:util";
import { loadExperiment } from "../dist/experiment/load-experiment.js";
import { readRecordingFile } from "../dist/experiment/recording-file.js";
import { resolveExperiment } from "../dist/experiment/resolve.js";
import { parseExperiment } from "../dist/experiment/schema.js";
import { setPaths } from "../dist/experiment/set-path.js";
import { createRlsTrainer } from "../dist/learning/rls/trainer.node.js";
import { Philox } from "../dist/random/philox.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    final: { type: "boolean", default: false },
    threads: { type: "string", default: "2" },
    trials: { type: "string", default: "20" },
  },
});
const { value } = await loadExperiment("alm");
const experiment = parseExperiment(setPaths(value, positionals), "alm");
const { spec, recording } = resolveExperiment(experiment, await readRecordingFile(experiment.targets));
const trainer = await createRlsTrainer(
  spec,
  { recording, sinusoids: null, copies: Math.round(spec.neurons / recording.neurons) },
  { threads: Number(values.threads), fast: false },
);
const started = performance.now();
for (let i = 0; i < experiment.iterations; i++) await trainer.iterate({ measure: false });
const seconds = (performance.now() - started) / 1000;
const report = await trainer.test({ trials: Number(values.trials), exampleNeurons: 0 });
await trainer.close();

const tuning = new Set(new Philox(2026).sample(0, recording.neurons, recording.neurons / 2));
const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
const half = (wanted) =>
  mean([...report.perNeuron.correlation].filter((_, p) => tuning.has(p % recording.neurons) === wanted));
console.log(
  JSON.stringify({
    settings: positionals.join(" "),
    trainingSeconds: Number(seconds.toFixed(1)),
    totalSeconds: Number(((performance.now() - started) / 1000).toFixed(1)),
    trials: Number(values.trials),
    [values.final ? "otherHalf" : "tuningHalf"]: Number(half(!values.final).toFixed(4)),
    ...(values.final ? { ...report.current, ...report.psth } : {}),
    varianceExplained: Number(report.current.varianceExplained.toFixed(3)),
    highestTrialRateHz: Number(report.highestTrialRateHz.toFixed(2)),
  }),
);
