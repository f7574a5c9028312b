/** One trial from input to readout: every panel of the column shows the same part of its time. */
import type { Chart, ChartSeries, ChartSpec, Charts } from "../../client/charts.ts";
import type { Decoder } from "../../client/decode.ts";
import type { createBinner } from "../../client/raster.ts";
import type { createSpikePainter } from "../../client/spikePainter.ts";
import type { Theme } from "../../client/theme.ts";
import type { StripPayload, TrialPayload } from "../payload.ts";
import type { createAmplitudePainter } from "./amplitudePainter.ts";
import type { createSpikeStrip, StripScene } from "./spikeStrip.ts";

export interface TrialTools {
  readonly decoder: Decoder;
  readonly theme: Theme;
  readonly charts: Charts;
  readonly createBinner: typeof createBinner;
  readonly createSpikePainter: typeof createSpikePainter;
  readonly createAmplitudePainter: typeof createAmplitudePainter;
  readonly createSpikeStrip: typeof createSpikeStrip;
}

export interface TrialColumn {
  /** Part of the trial that is shown, ms. */
  window(): readonly [number, number];
}

export function createTrialColumn(
  column: HTMLElement,
  trials: readonly TrialPayload[],
  tools: TrialTools,
): TrialColumn {
  const { decoder, theme, charts } = tools;
  const aligned = column.querySelector(".aligned") as HTMLElement;
  const select = column.querySelector("select") as HTMLSelectElement;
  // As charts.ts has them: the width of the y axis, the padding on the right.
  const margins = { left: 44, right: 14 };
  const group = `trial-${column.dataset.trialColumn}`;
  let trial = trials[Number(select.value)];
  let shown: readonly [number, number] = [0, trial.steps * trial.dtMs];

  const strips = [...column.querySelectorAll<HTMLElement>("[data-strip]")].map((panel, i) =>
    tools.createSpikeStrip(panel, i === 0 ? 150 : 130, margins, theme),
  );
  const drawn = new Map<HTMLElement, Chart>();

  function setWindow(low: number, high: number): void {
    const whole = trial.steps * trial.dtMs;
    const from = Math.max(0, low);
    const to = Math.min(whole, high);
    // Less than two steps cannot be looked at.
    if (to - from < 2 * trial.dtMs || (from === shown[0] && to === shown[1])) return;
    shown = [from, to];
    for (const strip of strips) strip.zoom(from / trial.dtMs, to / trial.dtMs);
    for (const chart of drawn.values()) chart.zoom(from, to);
  }

  function sceneOf(strip: StripPayload): StripScene {
    const events = decoder.spikes(strip.spikes);
    const scene = { neurons: strip.neurons, split: strip.neurons, below: strip.colour, above: "vermilion" };
    const paint =
      strip.amplitudes === null
        ? tools.createSpikePainter(scene, tools.createBinner(events), theme)
        : tools.createAmplitudePainter(scene, events, new Int8Array(decoder.bytes(strip.amplitudes).buffer), theme);
    return { neurons: strip.neurons, inWords: strip.inWords, paint };
  }

  /** Times of the points of a curve; at 0, before the first step, it has none. */
  const times = (): number[] =>
    Array.from({ length: trial.points + 1 }, (_, i) => Math.min(trial.steps, i * trial.every) * trial.dtMs);
  const fromStart = (values: (number | null)[]): (number | null)[] => [null, ...values];
  const common = () => ({
    x: times(),
    xUnit: "ms",
    yUnit: "",
    group,
    onZoom: (low: number, high: number) => setWindow(low, high),
  });

  function put(panel: HTMLElement, spec: ChartSpec): void {
    const chart = drawn.get(panel);
    if (chart) chart.update(spec);
    else drawn.set(panel, charts.chart(panel, spec));
  }

  function membranes(): void {
    for (const panel of column.querySelectorAll<HTMLElement>("[data-membrane]")) {
      const membrane = trial.membranes[Number(panel.dataset.membrane)];
      panel.hidden = membrane === undefined;
      if (!membrane) continue;
      const title = panel.querySelector("[data-name]");
      if (title) title.textContent = membrane.title;
      const values = fromStart(decoder.curve(membrane.curve, 0, trial.points));
      put(panel, {
        ...common(),
        xLabels: false,
        height: 74,
        floor: 0,
        series: [
          { label: "", values: values.map(() => 0), colour: "grey", look: "dashed" },
          { label: "", values, colour: membrane.colour, look: "thin" },
        ],
      });
    }
  }

  function readouts(): void {
    const panels = [...column.querySelectorAll<HTMLElement>("[data-output]")];
    const trace = (o: number): (number | null)[] => fromStart(decoder.curve(trial.readout, o, trial.points));
    const { target } = trial;
    for (const [p, panel] of panels.entries()) {
      const looks = {
        label: { colour: "blue", look: "line" },
        prediction: { colour: "vermilion", look: "line" },
        other: { colour: "grey", look: "thin" },
      } as const;
      const series: ChartSeries[] = target
        ? [
            { label: "target", values: fromStart(decoder.curve(target, p, trial.points)), colour: "ink", look: "line" },
            { label: "output", values: trace(p), colour: "blue", look: "line" },
          ]
        : trial.outputs.map(({ name, role }, o) => ({
            label: role === "other" ? "" : name,
            values: trace(o),
            ...looks[role],
          }));
      put(panel, {
        ...common(),
        height: target ? 150 : 190,
        series,
        ...(p < panels.length - 1 ? { xLabels: false as const } : {}),
      });
    }
  }

  function decision(): void {
    const list = column.querySelector("[data-decision]");
    if (!list) return;
    const wrong = trial.outputs.find(({ role }) => role === "prediction")?.name;
    list.replaceChildren(
      ...trial.decision.map(({ name, share, text, isLabel }) => {
        const item = document.createElement("li");
        const part = (className: string, content: string): HTMLElement => {
          const span = document.createElement("span");
          span.className = className;
          span.textContent = content;
          return span;
        };
        const bar = part("bar", "");
        bar.style.width = `${(100 * share).toFixed(1)}%`;
        item.append(part("name", name), bar, part("share", text));
        item.className = isLabel ? "label" : name === wrong ? "wrong" : "";
        if (isLabel) item.title = "the true class";
        return item;
      }),
    );
  }

  function showTrial(): void {
    trial = trials[Number(select.value)];
    shown = [0, trial.steps * trial.dtMs];
    const rank = column.querySelector(".rank");
    if (rank) rank.textContent = trial.verdict;
    for (const [i, strip] of strips.entries()) {
      if (trial.strips[i]) strip.show(sceneOf(trial.strips[i]), 0, trial.steps);
    }
    membranes();
    readouts();
    decision();
  }

  // One line through all panels at the time under the pointer, and a range to zoom into, drawn across the rasters.
  const line = aligned.querySelector<HTMLElement>(".time-line");
  const plotWidth = (): number => aligned.clientWidth - margins.left - margins.right;
  const share = (event: PointerEvent): number =>
    (event.clientX - aligned.getBoundingClientRect().left - margins.left) / plotWidth();
  const toTime = (at: number): number => shown[0] + Math.min(1, Math.max(0, at)) * (shown[1] - shown[0]);
  const toPixel = (at: number): number => margins.left + Math.min(1, Math.max(0, at)) * plotWidth();
  let drag: { from: number; range: HTMLElement } | undefined;
  aligned.addEventListener("pointermove", (event) => {
    const at = share(event);
    if (line) {
      line.hidden = at < 0 || at > 1;
      line.style.left = `${toPixel(at)}px`;
    }
    for (const panel of column.querySelectorAll<HTMLElement>("[data-strip]")) {
      const readout = panel.querySelector(".readout");
      if (readout)
        readout.textContent =
          panel.contains(event.target as Node) && at >= 0 && at <= 1 ? `${Math.round(toTime(at))} ms` : "";
    }
    if (!drag) return;
    const [low, high] = [Math.min(drag.from, at), Math.max(drag.from, at)].map(toPixel);
    drag.range.style.left = `${low}px`;
    drag.range.style.width = `${high - low}px`;
  });
  aligned.addEventListener("pointerleave", () => {
    if (line) line.hidden = true;
  });
  for (const canvas of aligned.querySelectorAll<HTMLCanvasElement>(".strip canvas")) {
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      const range = document.createElement("div");
      range.className = "time-range";
      aligned.append(range);
      drag = { from: share(event), range };
    });
    const release = (event: PointerEvent): void => {
      if (!drag) return;
      const { from, range } = drag;
      drag = undefined;
      range.remove();
      const to = share(event);
      // A shorter way is a click.
      if (event.type === "pointerup" && Math.abs(to - from) * plotWidth() > 4)
        setWindow(toTime(Math.min(from, to)), toTime(Math.max(from, to)));
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("dblclick", () => setWindow(0, trial.steps * trial.dtMs));
  }
  select.addEventListener("change", showTrial);
  showTrial();
  return { window: () => shown };
}
