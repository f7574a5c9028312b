/** The report of a run by gradients as a reader meets it. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClassificationReportInput } from "../../src/report/classification/input.ts";
import { renderClassificationReport } from "../../src/report/classification/report.node.ts";
import { classificationInput, regressionInput } from "./classification-fixture.ts";
import { inkOfCanvases, ReportPages } from "./report-pages.ts";

interface OpenedReport {
  readonly columns: readonly { window(): readonly [number, number] }[];
}

let pages: ReportPages;

beforeAll(async () => {
  pages = await ReportPages.launch();
});
afterAll(() => pages?.close());

const open = (input: ClassificationReportInput): Promise<Page> => pages.open(renderClassificationReport(input));

/** Part of the trial on view in the first column, ms. */
const windowOf = (page: Page): Promise<readonly [number, number]> =>
  page.evaluate(() => (globalThis as unknown as { volleyReport: OpenedReport }).volleyReport.columns[0].window());

const small = {
  inputs: 100,
  layers: [{ name: "hidden", size: 40, model: "GennALIF" }],
  epochs: 12,
  steps: 200,
  trials: 4,
};

let rendered: string | undefined;
/** Opens a small report, which is rendered once. */
const openSmall = (options?: Parameters<ReportPages["open"]>[1]): Promise<Page> => {
  rendered ??= renderClassificationReport(classificationInput(small));
  return pages.open(rendered, options);
};

test("opens offline without a complaint, and every canvas shows something", async () => {
  const page = await openSmall();
  const ink = await inkOfCanvases(page);
  // 3 curves of learning, 5 of health, and in 2 columns: input, layer, 3 membranes, readout.
  expect(ink).toHaveLength(20);
  for (const pixels of ink) expect(pixels).toBeGreaterThan(400);
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});

test("every panel of a trial has the same axis of time", async () => {
  const page = await openSmall();
  const plots = await page.evaluate(() =>
    [...document.querySelectorAll('[data-trial-column="0"] .u-over')].map((plot) => {
      const { left, right } = plot.getBoundingClientRect();
      return [Math.round(left), Math.round(right)];
    }),
  );
  expect(plots).toHaveLength(4);
  for (const plot of plots) expect(plot).toEqual(plots[0]);
  // The frame of a raster, from the first and last column of pixels that its canvas has in the middle row.
  const frame = await page.locator('[data-trial-column="0"] [data-strip="1"] canvas').evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const { data } = canvas.getContext("2d")!.getImageData(0, canvas.height >> 1, canvas.width, 1);
    const inked = Array.from({ length: canvas.width }, (_, x) => x).filter((x) => data[4 * x + 3] > 0);
    const { left, width } = canvas.getBoundingClientRect();
    return [inked[0], inked[inked.length - 1]].map((x) => left + (x * width) / canvas.width);
  });
  expect(Math.abs(frame[0] - plots[0][0])).toBeLessThan(2);
  expect(Math.abs(frame[1] - plots[0][1])).toBeLessThan(2);
  await page.context().close();
});

test("a trial is chosen from the list, with its verdict, traces and probabilities", async () => {
  const page = await openSmall();
  const column = page.locator('[data-trial-column="0"]');
  const picture = (): Promise<string> =>
    column.locator("[data-output] canvas").evaluate((c) => (c as HTMLCanvasElement).toDataURL());
  expect(await column.locator(".rank").textContent()).toBe("Recognised");
  expect(await column.locator("[data-decision] li").first().getAttribute("class")).toBe("label");
  const before = await picture();
  await column.locator("select").selectOption("1");
  expect(await column.locator(".rank").textContent()).toBe("Mistaken");
  expect(await column.locator("[data-decision] li").first().getAttribute("class")).toBe("wrong");
  expect(await column.locator("[data-decision] li.label").count()).toBe(1);
  expect(await picture()).not.toBe(before);
  expect(await column.locator('[data-strip="0"] canvas').getAttribute("aria-label")).toMatch(
    /^Input: \d+ spikes on 100/,
  );
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});

test("a range drawn in a raster or a chart zooms the whole trial; a double click returns", async () => {
  const page = await openSmall();
  expect(await windowOf(page)).toEqual([0, 400]);
  const column = page.locator('[data-trial-column="0"]');
  const raster = column.locator('[data-strip="1"] canvas');
  const readout = column.locator("[data-output] canvas");
  const picture = (): Promise<string> => readout.evaluate((c) => (c as HTMLCanvasElement).toDataURL());
  const whole = await picture();
  await raster.scrollIntoViewIfNeeded();
  const box = (await raster.boundingBox())!;
  const drag = async (y: number): Promise<void> => {
    await page.mouse.move(box.x + 150, y);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, y, { steps: 3 });
    await page.mouse.move(box.x + 250, y, { steps: 3 });
    await page.mouse.up();
  };
  await drag(box.y + 40);
  const plot = box.width - 44 - 14;
  const [from, to] = await windowOf(page);
  expect(from).toBeCloseTo((400 * (150 - 44)) / plot, -1);
  expect(to).toBeCloseTo((400 * (250 - 44)) / plot, -1);
  expect(await picture()).not.toBe(whole);
  await raster.dblclick({ position: { x: 200, y: 40 } });
  expect(await windowOf(page)).toEqual([0, 400]);

  const membrane = column.locator('[data-membrane="0"] .u-over');
  await membrane.scrollIntoViewIfNeeded();
  const over = (await membrane.boundingBox())!;
  const strip = (): Promise<string> => raster.evaluate((c) => (c as HTMLCanvasElement).toDataURL());
  const spikes = await strip();
  await drag(over.y + over.height / 2);
  const zoomed = await windowOf(page);
  expect(zoomed[1] - zoomed[0]).toBeLessThan(120);
  expect(await strip()).not.toBe(spikes);
  await membrane.dblclick();
  await expect.poll(() => windowOf(page)).toEqual([0, 400]);
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});

test("amplitudes are an image: stronger is darker, below zero another colour", async () => {
  const input = classificationInput({ ...small, inputs: 4, trials: 1, steps: 8 });
  const offsets = Uint32Array.from({ length: 9 }, (_, t) => (t === 0 ? 0 : 4));
  const events = { steps: 8, offsets, channels: Uint32Array.of(0, 1, 2, 3), values: Float32Array.of(2, 1, 0.5, -2) };
  const page = await open({ ...input, trials: [{ ...input.trials[0], input: events }] });
  const pixels = await page.locator('[data-strip="0"] canvas').evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    // A pixel within the first step of each channel; channel 0 is below.
    return [0, 1, 2, 3].map((channel) => {
      const at = 4 * (Math.round((canvas.height - 4) * (1 - (channel + 0.5) / 4)) * canvas.width + 50);
      return Array.from(data.subarray(at, at + 4));
    });
  });
  expect(pixels.map(([, , , alpha]) => alpha)).toEqual([255, 129, 64, 255]);
  expect(pixels[3].slice(0, 3)).not.toEqual(pixels[0].slice(0, 3));
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});

test("epochs or wall time along the axis; light and dark; narrow windows need no sideways scrolling", async () => {
  const page = await openSmall({ colorScheme: "dark", width: 360 });
  await page.getByRole("button", { name: "wall time" }).click();
  expect(await page.locator("[data-axis-title]").first().textContent()).toBe("wall time (s)");
  const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.getByRole("button", { name: "Switch to light colours" }).click();
  expect(await background()).not.toBe(dark);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});

test("rasters are on paper too", async () => {
  const page = await openSmall({ colorScheme: "dark" });
  const pdf = (await page.pdf({ format: "A4" })).toString("latin1");
  // Two columns of two rasters, each an image with its transparency.
  expect(pdf.match(/\/Subtype\s*\/Image/g)).toHaveLength(8);
  expect(await page.locator("html").getAttribute("class")).toBe("");
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});

test("a network that follows traces shows outputs against targets", async () => {
  const page = await open(regressionInput({ ...small, trials: 2, outputs: 2 }));
  expect(await page.locator("#confusion").count()).toBe(0);
  expect(await page.locator("[data-trace] canvas").count()).toBe(4);
  expect(await page.locator('[data-trial-column="0"] [data-output] canvas').count()).toBe(2);
  for (const pixels of await inkOfCanvases(page)) expect(pixels).toBeGreaterThan(400);
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});

test("a run of which nothing is left opens too", async () => {
  const input = classificationInput({ ...small, trials: 0 });
  const page = await open({
    ...input,
    title: "</script><script>throw 1</script>",
    epochs: [],
    final: null,
    confusion: { validation: null, test: null },
    rates: [],
    parameters: [],
    weights: [],
  });
  expect(await page.locator("canvas").count()).toBe(0);
  expect(await page.locator(".absent").count()).toBeGreaterThan(4);
  expect(pages.complaints).toEqual([]);
  await page.context().close();
});
