// A recurrent network of adaptive neurons learns spoken digits by e-prop.   node examples/classifier.mjs
import { fileURLToPath } from "node:url";
import { createClassifier } from "volley";

const file = (name) => fileURLToPath(new URL(`data/${name}`, import.meta.url));
const classifier = await createClassifier({
  data: { train: file("digits-train.h5.gz"), test: file("digits-test.h5.gz") },
  network: {
    dtMs: 4,
    layers: [{ neurons: 128, model: { type: "GennALIF" }, surrogate: { type: "triangle", height: 0.5, width: 0.6 } }],
  },
  learning: { rule: "eprop", optimiser: { type: "adam", rate: 4e-3 }, schedule: [{ type: "cosine" }], epochs: 20 },
});

for await (const { epoch, train, validation, layers } of classifier.epochs()) {
  if (epoch % 10 !== 0) continue;
  const percent = ({ accuracy }) => `${(100 * accuracy).toFixed(1)} %`;
  console.log(
    `epoch ${epoch}: ${percent(train)} learned, ${percent(validation)} of the held-out, ${layers[0].rateHz.toFixed(1)} Hz`,
  );
}
const { accuracy, samples } = await classifier.test();
console.log(`test: ${(100 * accuracy).toFixed(1)} % of ${samples} samples`);
console.log(`kept in ${(await classifier.save()).length} bytes`);
await classifier.close();
