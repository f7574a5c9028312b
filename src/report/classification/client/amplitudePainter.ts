/** Draws events with amplitudes into a box of a canvas: an image whose pixels are steps and channels. */
import type { DecodedSpikes } from "../../client/decode.ts";
import type { SpikePainter, SpikeScene } from "../../client/spikePainter.ts";
import type { Theme } from "../../client/theme.ts";

/** @param amplitudes int8 of every event; the largest magnitude, 127, has the full colour, and `above` is of those below 0. */
export function createAmplitudePainter(
  scene: SpikeScene,
  events: DecodedSpikes,
  amplitudes: Int8Array,
  theme: Theme,
): SpikePainter {
  let image: ImageData | undefined;
  return (context, view, { x, y, width, height }) => {
    if (!image || image.width !== width || image.height !== height) image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    pixels.fill(0);
    const colour = (name: string): number => {
      const [red, green, blue] = theme.rgb(name);
      return (blue << 16) | (green << 8) | red;
    };
    const positive = colour(scene.below);
    const negative = colour(scene.above);
    const perStep = width / (view.stepHigh - view.stepLow);
    const perChannel = height / (view.neuronHigh - view.neuronLow);
    for (let i = 0; i < events.steps.length; i++) {
      const step = events.steps[i] - 1 - view.stepLow;
      const channel = events.neurons[i] - view.neuronLow;
      const left = Math.max(0, Math.floor(step * perStep));
      const right = Math.min(width, Math.max(left + 1, Math.floor((step + 1) * perStep)));
      const top = Math.max(0, height - Math.floor((channel + 1) * perChannel));
      const bottom = Math.min(height, Math.max(top + 1, height - Math.floor(channel * perChannel)));
      const alpha = Math.round((Math.abs(amplitudes[i]) / 127) * 255);
      const pixel = ((alpha << 24) | (amplitudes[i] < 0 ? negative : positive)) >>> 0;
      for (let row = top; row < bottom; row++) pixels.fill(pixel, row * width + left, row * width + right);
    }
    context.putImageData(image, x, y);
  };
}
