// Teaches a small network the activity of 100 neurons of mouse motor cortex.   node examples/library.mjs
import { readFile } from "node:fs/promises";
import { createTrainer, readRecording } from "volley";

const bytes = await readFile(new URL("data/alm.h5", import.meta.url));
const recording = await readRecording(bytes, "alm.h5", { datasets: ["rate_left", "rate_right"] });

const trainer = await createTrainer(
  {
    neurons: 100, // of the 1216 recorded ones
    static: null, // noise takes the place of a static network
    noise: { sigma: 0.65 },
    plastic: { inputsPerType: 40 },
    learning: { lambda: 0.04, mu: 0 },
    iterations: 40,
  },
  { recording },
);
for await (const { iteration, correlation } of trainer.train()) {
  if (iteration % 10 === 0) console.log(`iteration ${iteration}: correlation ${correlation.toFixed(3)}`);
}
const { current, psth } = await trainer.test({ trials: 20 });
console.log(`frozen: currents ${current.average.toFixed(3)}, firing rates ${psth.windowed.toFixed(3)}`);
console.log(`${(await trainer.weights()).length} weights were trained`);
await trainer.close();
