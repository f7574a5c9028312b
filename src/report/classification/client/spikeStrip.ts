/** A raster as wide as the charts below it, whose time is that of the whole trial column. */
import type { RasterWindow } from "../../client/raster.ts";
import type { SpikePainter } from "../../client/spikePainter.ts";
import type { Theme } from "../../client/theme.ts";

/** Where charts have their plots, in pixels of the page from the edges of a panel. */
export interface PlotMargins {
  readonly left: number;
  readonly right: number;
}

export interface StripScene {
  readonly neurons: number;
  readonly inWords: string;
  readonly paint: SpikePainter;
}

export interface SpikeStrip {
  show(scene: StripScene, from: number, to: number): void;
  /** Shows these steps. */
  zoom(from: number, to: number): void;
}

export function createSpikeStrip(
  panel: HTMLElement,
  height: number,
  { left, right }: PlotMargins,
  theme: Theme,
): SpikeStrip {
  const canvas = panel.querySelector("canvas") as HTMLCanvasElement;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  let scene: StripScene | undefined;
  let steps: readonly [number, number] = [0, 1];

  const size = () => {
    const printing = theme.printing();
    const ratio = printing ? 3 : Math.max(1, devicePixelRatio);
    return { ratio, width: Math.max(120, panel.clientWidth), height: printing ? Math.round(height * 0.62) : height };
  };

  function redraw(): void {
    if (!scene) return;
    const { ratio, width, height: high } = size();
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round((high + 2) * ratio);
    canvas.style.height = `${high + 2}px`;
    // Empty already, but without this Chromium prints the canvas without what putImageData draws.
    context.clearRect(0, 0, canvas.width, canvas.height);
    const view: RasterWindow = { stepLow: steps[0], stepHigh: steps[1], neuronLow: 0, neuronHigh: scene.neurons };
    const box = {
      x: Math.round(left * ratio),
      y: Math.round(ratio),
      width: Math.round((width - left - right) * ratio),
      height: Math.round(high * ratio),
    };
    scene.paint(context, view, box, ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.strokeStyle = theme.colour("rule");
    context.strokeRect(left - 0.5, 0.5, width - left - right + 1, high + 1);
    context.fillStyle = theme.colour("soft");
    context.font = theme.font(11);
    context.textAlign = "right";
    context.textBaseline = "top";
    context.fillText(String(scene.neurons - 1), left - 6, 1);
    context.textBaseline = "bottom";
    if (scene.neurons > 1) context.fillText("0", left - 6, high + 2);
  }

  new ResizeObserver(() => {
    if (Math.round(size().width * size().ratio) !== canvas.width) redraw();
  }).observe(panel);
  theme.onChange(redraw);
  return {
    show(next, from, to) {
      scene = next;
      steps = [from, to];
      canvas.setAttribute("aria-label", next.inWords);
      redraw();
    },
    zoom(from, to) {
      steps = [from, to];
      redraw();
    },
  };
}
