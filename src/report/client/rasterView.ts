/** The raster on its canvas: spikes, axes, rate strip. `rasterControls.ts` moves it. */
import type { Binner, RasterWindow } from "./raster.ts";
import type { SpikePainter } from "./spikePainter.ts";
import type { Theme } from "./theme.ts";

export interface RasterScene {
  readonly neurons: number;
  readonly excitatory: number;
  readonly dtMs: number;
  readonly trialMs: number;
  readonly stimulusOffMs: number;
}

export interface RasterView {
  readonly canvas: HTMLCanvasElement;
  readonly whole: RasterWindow;
  /** Draws now; gives the milliseconds it took. */
  redraw(): number;
  window(): RasterWindow;
  /** Shows another part of the trial at the next frame. */
  show(view: RasterWindow): void;
  /** Where the spikes are drawn, in pixels of the page from the corner of the canvas. */
  area(): { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
}

export function createRasterView(
  panel: HTMLElement,
  scene: RasterScene,
  binner: Binner,
  paintSpikes: SpikePainter,
  theme: Theme,
): RasterView {
  const canvas = panel.querySelector("canvas") as HTMLCanvasElement;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const lastStep = Math.max(1, Math.round(scene.trialMs / scene.dtMs));
  const whole: RasterWindow = { stepLow: 0, stepHigh: lastStep, neuronLow: 0, neuronHigh: scene.neurons };
  const left = 52;
  const right = 30;
  const top = 14;
  const gap = 34;
  const bottom = 34;
  let view = whole;
  let pending = 0;

  const sizes = () => {
    const printing = theme.printing();
    const ratio = printing ? 3 : Math.max(1, devicePixelRatio);
    const width = Math.max(160, canvas.parentElement?.clientWidth ?? 600);
    const raster = printing ? 180 : width < 500 ? 240 : 330;
    const strip = printing ? 44 : 70;
    return { ratio, width, raster, strip, height: top + raster + gap + strip + bottom, plot: width - left - right };
  };

  const ticks = (low: number, high: number, wanted: number): { at: number[]; digits: number } => {
    const raw = (high - low) / wanted;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10);
    const at: number[] = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-12); i++) at.push(i * step);
    return { at, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
  };
  function drawFrame(s: ReturnType<typeof sizes>): void {
    const { plot, raster } = s;
    const x = (step: number): number => left + ((step - view.stepLow) / (view.stepHigh - view.stepLow)) * plot;
    const y = (neuron: number): number =>
      top + raster - ((neuron - view.neuronLow) / (view.neuronHigh - view.neuronLow)) * raster;
    const stripTop = top + raster + gap;
    const c = context;
    c.font = theme.font(11);
    c.lineWidth = 1;
    const line = (x1: number, y1: number, x2: number, y2: number): void => {
      c.beginPath();
      c.moveTo(x1, y1);
      c.lineTo(x2, y2);
      c.stroke();
    };
    // Neurons.
    c.fillStyle = theme.colour("soft");
    c.strokeStyle = theme.colour("grey");
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const neuron of ticks(view.neuronLow, view.neuronHigh, 5).at) {
      if (neuron % 1 !== 0 || neuron >= view.neuronHigh) continue;
      c.fillText(String(neuron), left - 8, y(neuron));
      line(left - 4, Math.round(y(neuron)) - 0.5, left, Math.round(y(neuron)) - 0.5);
    }
    line(left - 0.5, top, left - 0.5, top + raster);
    line(left - 0.5, stripTop, left - 0.5, stripTop + s.strip);
    // Excitatory below, inhibitory above.
    if (scene.excitatory > view.neuronLow && scene.excitatory < view.neuronHigh) {
      c.setLineDash([2, 3]);
      line(left, Math.round(y(scene.excitatory)) - 0.5, left + plot + 22, Math.round(y(scene.excitatory)) - 0.5);
      c.setLineDash([]);
    }
    c.textAlign = "left";
    c.font = `600 ${theme.font(12)}`;
    const label = (text: string, colour: string, low: number, high: number): void => {
      const from = Math.max(low, view.neuronLow);
      const to = Math.min(high, view.neuronHigh);
      if (to <= from) return;
      c.fillStyle = theme.colour(colour);
      c.fillText(text, left + plot + 10, Math.max(top + 7, Math.min(top + raster - 7, (y(from) + y(to)) / 2)));
    };
    label("E", "blue", 0, scene.excitatory);
    label("I", "vermilion", scene.excitatory, scene.neurons);
    c.font = theme.font(11);
    // Time, in seconds.
    const perStep = scene.dtMs / 1000;
    const times = ticks(view.stepLow * perStep, view.stepHigh * perStep, Math.max(3, Math.floor(plot / 110)));
    c.textAlign = "center";
    c.textBaseline = "top";
    c.fillStyle = theme.colour("soft");
    c.strokeStyle = theme.colour("grey");
    const base = stripTop + s.strip;
    line(left - 0.5, base + 0.5, left + plot, base + 0.5);
    for (const time of times.at) {
      const at = Math.round(x(time / perStep)) + 0.5;
      line(at, base, at, base + 4);
      c.fillText(time.toFixed(times.digits), at, base + 7);
    }
    c.fillText("time (s)", left + plot / 2, base + 20);
    // End of the stimulus.
    const off = x(scene.stimulusOffMs / scene.dtMs);
    if (scene.stimulusOffMs > 0 && off > left && off < left + plot) {
      c.setLineDash([4, 3]);
      line(Math.round(off) + 0.5, top - 2, Math.round(off) + 0.5, top + raster);
      line(Math.round(off) + 0.5, stripTop, Math.round(off) + 0.5, base);
      c.setLineDash([]);
      c.textBaseline = "bottom";
      c.textAlign = off > left + plot - 80 ? "right" : "left";
      c.fillText("stimulus off", off + (off > left + plot - 80 ? -4 : 4), top - 1);
    }
  }

  function drawStrip(s: ReturnType<typeof sizes>): void {
    const stripTop = top + s.raster + gap;
    const steps = view.stepHigh - view.stepLow;
    const binMs = (() => {
      const raw = Math.max(scene.dtMs, 1, ((steps * scene.dtMs) / s.plot) * 2.5);
      const power = 10 ** Math.floor(Math.log10(raw) + 1e-9);
      return power * ([1, 2, 5, 10].find((m) => m * power >= raw * 0.999) ?? 10);
    })();
    const bin = Math.max(1, Math.round(binMs / scene.dtMs));
    const first = Math.floor(view.stepLow / bin) * bin;
    const counts = binner.rates(first, view.stepHigh, bin, scene.excitatory);
    const hz = (list: Float64Array, cells: number): Float64Array =>
      list.map((n) => n / (cells * bin * scene.dtMs * 1e-3));
    const lines: (readonly [string, Float64Array])[] = [];
    if (scene.neurons > scene.excitatory)
      lines.push(["vermilion", hz(counts.inhibitory, scene.neurons - scene.excitatory)]);
    if (scene.excitatory > 0) lines.push(["blue", hz(counts.excitatory, scene.excitatory)]);
    const most = Math.max(1, ...lines.map(([, rate]) => rate.reduce((a, b) => Math.max(a, b), 0))) * 1.08;
    const c = context;
    const y = (rate: number): number => stripTop + s.strip - (rate / most) * s.strip;
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const rate of ticks(0, most, 2.4).at) {
      c.strokeStyle = theme.colour("grid");
      c.beginPath();
      c.moveTo(left, Math.round(y(rate)) + 0.5);
      c.lineTo(left + s.plot, Math.round(y(rate)) + 0.5);
      c.stroke();
      c.fillStyle = theme.colour("soft");
      c.fillText(String(Number(rate.toPrecision(4))), left - 8, y(rate));
    }
    c.textAlign = "left";
    c.textBaseline = "bottom";
    c.fillText(
      `population rate (Hz), ${binMs < 1 ? binMs.toPrecision(1) : Math.round(bin * scene.dtMs)} ms bins`,
      left,
      stripTop - 6,
    );
    c.fillText("neuron", 2, top - 1);
    c.save();
    c.beginPath();
    c.rect(left, stripTop - 2, s.plot, s.strip + 3);
    c.clip();
    c.lineWidth = 1.2;
    const x = (step: number): number => left + ((step - view.stepLow) / steps) * s.plot;
    for (const [colour, rate] of lines) {
      c.strokeStyle = theme.colour(colour);
      c.beginPath();
      rate.forEach((value, b) => {
        c.lineTo(x(first + b * bin), y(value));
        c.lineTo(x(first + (b + 1) * bin), y(value));
      });
      c.stroke();
    }
    c.restore();
  }

  function redraw(): number {
    const started = performance.now();
    const s = sizes();
    const wide = Math.round(s.width * s.ratio);
    const high = Math.round(s.height * s.ratio);
    if (canvas.width !== wide || canvas.height !== high) {
      canvas.width = wide;
      canvas.height = high;
      canvas.style.height = `${s.height}px`;
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, wide, high);
    const box = {
      x: Math.round(left * s.ratio),
      y: Math.round(top * s.ratio),
      width: Math.round(s.plot * s.ratio),
      height: Math.round(s.raster * s.ratio),
    };
    paintSpikes(context, view, box, s.ratio);
    context.setTransform(s.ratio, 0, 0, s.ratio, 0, 0);
    drawStrip(s);
    drawFrame(s);
    return performance.now() - started;
  }

  function show(next: RasterWindow): void {
    const clamp = (low: number, high: number, most: number, least: number): [number, number] => {
      const span = Math.min(most, Math.max(least, high - low));
      const centre = (low + high) / 2;
      const from = Math.min(most - span, Math.max(0, centre - span / 2));
      return [from, from + span];
    };
    const [stepLow, stepHigh] = clamp(next.stepLow, next.stepHigh, whole.stepHigh, Math.min(20, whole.stepHigh));
    const [neuronLow, neuronHigh] = clamp(next.neuronLow, next.neuronHigh, scene.neurons, Math.min(8, scene.neurons));
    view = { stepLow, stepHigh, neuronLow, neuronHigh };
    if (pending === 0) {
      pending = requestAnimationFrame(() => {
        pending = 0;
        redraw();
      });
    }
  }

  new ResizeObserver(() => {
    if (Math.round(sizes().width * sizes().ratio) !== canvas.width) redraw();
  }).observe(panel);
  theme.onChange(redraw);
  redraw();
  const area = () => {
    const { plot, raster } = sizes();
    return { left, top, width: plot, height: raster };
  };
  return { canvas, whole, redraw, window: () => view, show, area };
}
