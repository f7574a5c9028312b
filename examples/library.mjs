// Teaches a small network the activity of 200 neurons of mouse motor cortex.   node examples/library.mjs
import { readFile } from "node:fs/promises";
import { createTrainer, readRecording } from "volley";

const bytes = await readFile(new URL("data/alm.h5", import.meta.url));
const recording = await readRecording(bytes, "alm.h5", { datasets: ["rate_left", "rate_right"] });

const trainer = await createTrainer(
  {
    neurons: 200, // of the 1216 recorded ones
    static: null, // noise takes the place of a static network
    noise: { sigma: 0.65 },
    plastic: { inputsPerType: 60 },
    learning: { lambda: 0.01, mu: 0 },
    iterations: 60,
  },
  { recording },
);
let sum = 0;
for await (const { iteration, correlation } of trainer.train()) {
  sum += correlation;
  if (iteration % 20 === 0) console.log(`${iteration} trials: correlation ${(sum / 20).toFixed(3)}`);
  if (iteration % 20 === 0) sum = 0;
}
const { current, psth } = await trainer.test({ trials: 20 });
console.log(`frozen: currents ${current.average.toFixed(3)}, firing rates ${psth.windowed.toFixed(3)}`);
console.log(`${(await trainer.weights()).length} weights were trained`);
await trainer.close();
