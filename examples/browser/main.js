// Trains a network in this page and draws how it learns. Any bundler or development server that follows
// `new Worker(new URL(...))` will do. With Vite: npm install volley vite, these two files in place, and vite.config.js:
//
//   const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
//   export default { server: { headers } };   // they allow several threads; without them there is one
//
// (Vite before version 8 also wants: optimizeDeps: { exclude: ["volley"] }.)
import { createTrainer } from "volley";

const status = document.querySelector("#status");
const canvas = document.querySelector("#curve");
const pen = canvas.getContext("2d");
const correlations = [];

function draw() {
  const x = (i) => ((i + 0.5) / iterations) * canvas.width;
  const y = (correlation) => canvas.height * (1 - Math.max(0, correlation));
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.beginPath();
  for (const [i, correlation] of correlations.entries()) pen.lineTo(x(i), y(correlation));
  pen.lineWidth = 4;
  pen.stroke();
}

const iterations = 40;
try {
  const trainer = await createTrainer({
    neurons: 200,
    static: null, // no fixed connections: noise keeps the neurons firing
    drive: { excitatory: 1, inhibitory: 1 },
    noise: { sigma: 0.3 },
    plastic: { inputsPerType: 30 },
    timing: { stimulusOnMs: 0, stimulusOffMs: 100 },
    targets: { type: "sinusoids", amplitude: 0.5, periodMs: 1000 },
    iterations,
  });
  document.querySelector("#stop").onclick = () => trainer.interrupt();
  for await (const { iteration, correlation, rateHz } of trainer.train()) {
    correlations.push(correlation);
    draw();
    status.value = `trial ${iteration}: correlation ${correlation.toFixed(2)}, ${rateHz.toFixed(1)} spikes/s`;
  }
  status.value += `; done on ${trainer.threads} thread(s)`;
  await trainer.close();
} catch (error) {
  // What a person can do something about says so itself.
  status.value = error.message;
}
