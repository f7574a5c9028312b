/** Zoom and pan of a raster by wheel, drag, keys and buttons; the place under the pointer in words. */
import type { RasterWindow } from "./raster.ts";
import type { RasterView } from "./rasterView.ts";

export function createRasterControls(panel: HTMLElement, raster: RasterView, dtMs: number): void {
  const { canvas, whole, show } = raster;
  const readout = panel.querySelector(".readout");

  /** Scales the window about a point given as shares of the plot (0 left/bottom, 1 right/top). */
  function zoom(time: number, neuron: number, atX = 0.5, atY = 0.5): void {
    const view = raster.window();
    const steps = view.stepHigh - view.stepLow;
    const cells = view.neuronHigh - view.neuronLow;
    const stepLow = view.stepLow + steps * atX * (1 - time);
    const neuronLow = view.neuronLow + cells * atY * (1 - neuron);
    show({ stepLow, stepHigh: stepLow + steps * time, neuronLow, neuronHigh: neuronLow + cells * neuron });
  }
  function pan(time: number, neuron: number): void {
    const view = raster.window();
    const steps = (view.stepHigh - view.stepLow) * time;
    const cells = (view.neuronHigh - view.neuronLow) * neuron;
    show({
      stepLow: view.stepLow + steps,
      stepHigh: view.stepHigh + steps,
      neuronLow: view.neuronLow + cells,
      neuronHigh: view.neuronHigh + cells,
    });
  }
  const actions: Readonly<Record<string, () => void>> = {
    in: () => zoom(0.5, 1),
    out: () => zoom(2, 1),
    taller: () => zoom(1, 0.5),
    flatter: () => zoom(1, 2),
    earlier: () => pan(-0.25, 0),
    later: () => pan(0.25, 0),
    down: () => pan(0, -0.25),
    up: () => pan(0, 0.25),
    reset: () => show(whole),
  };
  const keys: Readonly<Record<string, string>> = {
    "+": "in",
    "=": "in",
    "-": "out",
    "*": "taller",
    "/": "flatter",
    "]": "taller",
    "[": "flatter",
    ArrowLeft: "earlier",
    ArrowRight: "later",
    ArrowDown: "down",
    ArrowUp: "up",
    "0": "reset",
    Home: "reset",
  };
  for (const button of panel.querySelectorAll<HTMLElement>("[data-action]")) {
    button.addEventListener("click", () => actions[button.dataset.action ?? "reset"]?.());
  }
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Escape") canvas.blur();
    const action = actions[keys[event.key] ?? ""];
    if (!action || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    action();
  });
  const place = (event: MouseEvent): [number, number] => {
    const box = canvas.getBoundingClientRect();
    const area = raster.area();
    return [
      (event.clientX - box.left - area.left) / area.width,
      1 - (event.clientY - box.top - area.top) / area.height,
    ];
  };
  canvas.addEventListener(
    "wheel",
    (event) => {
      // Until the raster is clicked, the wheel scrolls the page; a pinch (ctrl) always zooms.
      if (document.activeElement !== canvas && !event.ctrlKey) return;
      event.preventDefault();
      const [x, y] = place(event);
      const amount = event.deltaY === 0 ? event.deltaX : event.deltaY;
      const factor = Math.exp(Math.max(-1, Math.min(1, amount * 0.0022)));
      if (event.shiftKey) zoom(1, factor, x, y);
      else zoom(factor, event.altKey ? factor : 1, x, y);
    },
    { passive: false },
  );
  let drag: { x: number; y: number; view: RasterWindow } | undefined;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    canvas.classList.add("dragging");
    drag = { x: event.clientX, y: event.clientY, view: raster.window() };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      const { width, height } = raster.area();
      const steps = ((drag.x - event.clientX) / width) * (drag.view.stepHigh - drag.view.stepLow);
      const cells = ((event.clientY - drag.y) / height) * (drag.view.neuronHigh - drag.view.neuronLow);
      show({
        stepLow: drag.view.stepLow + steps,
        stepHigh: drag.view.stepHigh + steps,
        neuronLow: drag.view.neuronLow + cells,
        neuronHigh: drag.view.neuronHigh + cells,
      });
    }
    const [x, y] = place(event);
    if (!readout) return;
    const view = raster.window();
    const inside = x >= 0 && x <= 1 && y >= 0 && y <= 1;
    const time = (view.stepLow + x * (view.stepHigh - view.stepLow)) * dtMs * 1e-3;
    const neuron = Math.floor(view.neuronLow + y * (view.neuronHigh - view.neuronLow));
    readout.textContent = inside ? `${time.toFixed(3)} s · neuron ${neuron}` : "";
  });
  const release = (): void => {
    drag = undefined;
    canvas.classList.remove("dragging");
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => {
    if (readout && !drag) readout.textContent = "";
  });
  canvas.addEventListener("dblclick", () => show(whole));
}
