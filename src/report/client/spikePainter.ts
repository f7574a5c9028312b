/** Draws the spikes of a window into a box of a canvas, with marks as large as their density allows. */
import type { Binner, RasterWindow } from "./raster.ts";
import type { Theme } from "./theme.ts";

/** Pixels of the canvas. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface SpikeScene {
  readonly neurons: number;
  /** Neurons from this index on take the second colour. */
  readonly split: number;
  /** Names of colours. */
  readonly below: string;
  readonly above: string;
}

export type SpikePainter = ReturnType<typeof createSpikePainter>;

export function createSpikePainter(scene: SpikeScene, binner: Binner, theme: Theme) {
  let image: ImageData | undefined;

  return (context: CanvasRenderingContext2D, view: RasterWindow, { x, y, width, height }: Box, ratio: number): void => {
    const perNeuron = height / (view.neuronHigh - view.neuronLow);
    const share = (view.neuronHigh - view.neuronLow) / scene.neurons;
    const visible = (binner.firstAt(view.stepHigh) - binner.firstAt(view.stepLow)) * share;
    const density = visible / (width * height);
    // Few spikes: ticks one can see; many: single pixels, so that the density stays readable.
    const tall = density * ratio * ratio < 0.02 ? 3 : density * ratio * ratio < 0.08 ? 2 : 1;
    const markHeight = Math.max(
      1,
      Math.min(
        Math.round(14 * ratio),
        Math.max(Math.round(perNeuron * 0.72), density > 0.4 ? 1 : Math.round(tall * ratio)),
      ),
    );
    const perStep = width / (view.stepHigh - view.stepLow);
    const markWidth = Math.max(
      1,
      Math.min(Math.round(2 * ratio), Math.max(Math.round(perStep * 0.6), density > 0.4 ? 1 : Math.round(ratio))),
    );
    binner.count(view, width, height, markWidth, markHeight);
    if (!image || image.width !== width || image.height !== height) image = new ImageData(width, height);
    const splitRow = height - Math.round((scene.split - view.neuronLow) * perNeuron);
    const pixels = new Uint32Array(image.data.buffer);
    binner.paint(pixels, width, height, splitRow, theme.rgb(scene.below), theme.rgb(scene.above));
    context.putImageData(image, x, y);
  };
}
