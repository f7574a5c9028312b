/**
 * The library in a browser: bundled as a user would, served with and without cross-origin isolation, and held to the
 * bytes that Node computes.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as Volley from "../../src/index.ts";
import { launchChromium } from "../support/chromium.ts";

declare global {
  var volley: typeof Volley;
}

/** A network small enough for a test, without static synapses: noise keeps it firing. */
const experiment: Volley.ExperimentInput = {
  neurons: 200,
  static: null,
  drive: { excitatory: 1, inhibitory: 1 },
  noise: { sigma: 0.3 },
  plastic: { inputsPerType: 16 },
  timing: { stimulusOnMs: 10, stimulusOffMs: 50, trainMs: 100, learnEveryMs: 10 },
  targets: { type: "sinusoids", periodMs: 100, tasks: 2 },
  iterations: 3,
  test: { trials: 2, exampleNeurons: 2 },
};

const root = fileURLToPath(new URL("../..", import.meta.url));
const bundles = mkdtempSync(join(tmpdir(), "volley-bundle-"));
const mimeTypes: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
let browser: Browser;
let isolated: Server;
let plain: Server;

/** Builds the page in `folder` to a folder of its own. */
async function bundle(folder: string, name: string): Promise<void> {
  const outDir = join(bundles, name);
  await build({
    root: join(root, folder),
    base: `/${name}/`,
    configFile: false,
    logLevel: "warn",
    build: { outDir, emptyOutDir: true, minify: false },
  });
}

/** Serves the bundles and the recording. */
function serve(headers: Record<string, string>): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "", "http://x").pathname));
    const file = path === "/alm.h5" ? join(root, "examples/data/alm.h5") : join(bundles, path);
    if (!existsSync(file)) {
      response.writeHead(path === "/favicon.ico" ? 204 : 404).end();
      return;
    }
    response.writeHead(200, { "content-type": mimeTypes[extname(file)] ?? "application/octet-stream", ...headers });
    response.end(readFileSync(file));
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

const urlOf = (server: Server, path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`;

const complaints: string[] = [];

async function open(server: Server, path: string): Promise<Page> {
  const page = await browser.newPage();
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  await page.goto(urlOf(server, path));
  return page;
}

async function openLibrary(server: Server): Promise<Page> {
  const page = await open(server, "library/index.html");
  await page.waitForSelector("html[data-ready]", { state: "attached" });
  return page;
}

beforeAll(async () => {
  isolated = await serve({
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  });
  plain = await serve({});
  await bundle("test/browser/page", "library");
  await bundle("examples/browser", "example");
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  for (const server of [isolated, plain]) server?.close();
  rmSync(bundles, { recursive: true, force: true });
  expect(complaints).toEqual([]);
});

interface Outcome {
  readonly threads: number;
  readonly warnings: readonly string[];
  readonly sections: Readonly<Record<string, string>>;
  /** Reports of iterations and of the test as JSON, without times. */
  readonly figures: string;
}

/** Trains and tests; runs in Node and, sent over as text, in pages: it may use nothing from outside. */
async function train(
  library: typeof Volley,
  given: Volley.ExperimentInput,
  threads: number,
): Promise<Omit<Outcome, "sections"> & { state: [string, Uint8Array][] }> {
  const warnings: string[] = [];
  const trainer = await library.createTrainer(given, { threads, onWarning: (message) => warnings.push(message) });
  const reports: unknown[] = [];
  for await (const { seconds: _, split: __, ...report } of trainer.train()) reports.push(report);
  reports.push(await trainer.test());
  const figures = JSON.stringify(reports, (_, value) =>
    ArrayBuffer.isView(value) ? Array.from(value as never) : value,
  );
  const state: [string, Uint8Array][] = [];
  for (const { name, items } of await trainer.engine.stateSections({ withP: true })) {
    state.push([name, await trainer.engine.readSection(name, 0, items)]);
  }
  await trainer.close();
  return { threads: trainer.threads, warnings, figures, state };
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** The same in a page; bytes are hashed there. Without isolation `crypto.subtle` still works: 127.0.0.1 is trusted. */
function trainInPage(page: Page, threads: number): Promise<Outcome> {
  const body = `(async () => {
    const { state, ...outcome } = await (${train})(volley, ${JSON.stringify(experiment)}, ${threads});
    const sections = {};
    for (const [name, bytes] of state) {
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      sections[name] = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
    return { ...outcome, sections };
  })()`;
  return page.evaluate(body) as Promise<Outcome>;
}

/** What is run here is what was built: a test of the sources would have no worker to start. */
async function trainInNode(threads: number): Promise<Outcome> {
  const library = (await import(/* @vite-ignore */ join(root, "dist/index.js"))) as typeof Volley;
  const { state, ...outcome } = await train(library, experiment, threads);
  return { ...outcome, sections: Object.fromEntries(state.map(([name, bytes]) => [name, sha256(bytes)])) };
}

let inNode: Outcome;

test("Node, as the reference", async () => {
  inNode = await trainInNode(1);
  expect(inNode.threads).toBe(1);
  expect(JSON.parse(inNode.figures)[0].rateHz).toBeGreaterThan(1);
  expect(Object.keys(inNode.sections)).toEqual(expect.arrayContaining(["weights", "P"]));
});

test("an isolated page trains on one and on two threads to the bytes of Node", async () => {
  const page = await openLibrary(isolated);
  for (const threads of [1, 2]) {
    const outcome = await trainInPage(page, threads);
    expect(outcome).toMatchObject({ threads, warnings: [], sections: inNode.sections });
    expect(outcome.figures).toBe(inNode.figures);
  }
  await page.close();
});

test("a page that is not isolated trains on one thread, says so, and gets the same bytes", async () => {
  const page = await openLibrary(plain);
  expect(await page.evaluate("crossOriginIsolated")).toBe(false);
  const outcome = await trainInPage(page, 2);
  expect(outcome).toMatchObject({ threads: 1, sections: inNode.sections });
  expect(outcome.warnings).toEqual([expect.stringContaining("cross-origin isolated")]);
  expect(outcome.figures).toBe(inNode.figures);
  await page.close();
});

/** A classifier of words of four bands, trained by e-prop. */
const classifier: Volley.ClassifierInput = {
  data: { train: { generate: "shdLike", samples: 60, classes: 3, channels: 40, durationMs: 100, spikes: 200 } },
  network: { dtMs: 2, layers: [{ neurons: 16, model: { type: "ALIF" }, trainable: { tauMemMs: {} } }] },
  learning: { rule: "eprop", batch: 16, epochs: 3 },
};

/** Trains it and packs what it has become; runs in Node and in pages, as `train` does. */
async function trainClassifier(library: typeof Volley, given: Volley.ClassifierInput, threads: number) {
  const trained = await library.createClassifier(given, { threads });
  const losses: number[] = [];
  for await (const { train } of trained.epochs()) losses.push(train.loss);
  const packed = await trained.save();
  await trained.close();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", packed as BufferSource));
  return { losses, sha256: Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("") };
}

test("a classifier becomes the same bytes in Node and in pages, on one and on two threads", async () => {
  const library = (await import(/* @vite-ignore */ join(root, "dist/index.js"))) as typeof Volley;
  const expected = await trainClassifier(library, classifier, 2);
  expect(expected.losses).toHaveLength(3);
  // Workers of gradients share no memory: isolation makes no difference.
  for (const [server, threads] of [
    [isolated, 2],
    [plain, 1],
    [plain, 2],
  ] as const) {
    const page = await openLibrary(server);
    const body = `(${trainClassifier})(volley, ${JSON.stringify(classifier)}, ${threads})`;
    expect(await page.evaluate(body)).toEqual(expected);
    await page.close();
  }
});

test.each([1, 2])("a page is not blocked by %i training threads", async (threads) => {
  const page = await openLibrary(threads === 1 ? plain : isolated);
  const long = { ...experiment, timing: { ...experiment.timing, trainMs: 2000 } };
  const ticks = await page.evaluate(
    async ({ long, threads }) => {
      const trainer = await volley.createTrainer(long, { threads });
      let ticks = 0;
      const timer = setInterval(() => ticks++, 4);
      // One trial: on the page's own thread, the timer would not fire before it is over.
      await trainer.train(1).next();
      clearInterval(timer);
      await trainer.close();
      return ticks;
    },
    { long, threads },
  );
  expect(ticks).toBeGreaterThan(10);
  await page.close();
});

test("closing a trainer at work ends the work with an error, not with silence", async () => {
  const page = await openLibrary(plain);
  const message = await page.evaluate(async (given) => {
    const trainer = await volley.createTrainer(given, { threads: 1 });
    const training = trainer
      .train(1)
      .next()
      .then(
        () => "done",
        (error: Error) => error.message,
      );
    await trainer.close();
    return training;
  }, experiment);
  expect(message).toMatch(/closed/);
  await page.close();
});

test("a page reads the recording as Node does, and trains on it by its URL", async () => {
  const page = await openLibrary(isolated);
  const { recording, values, trained } = await page.evaluate(async () => {
    const bytes = new Uint8Array(await (await fetch("/alm.h5")).arrayBuffer());
    const { values, ...recording } = await volley.readRecording(bytes, "alm.h5");
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", values as BufferSource));
    const trainer = await volley.createTrainer(
      {
        targets: { type: "recording", file: "/alm.h5" },
        neurons: 32,
        static: null,
        noise: { sigma: 0.65 },
        plastic: { inputsPerType: 8 },
        timing: { stimulusOnMs: 0, stimulusOffMs: 100 },
      },
      { threads: 1 },
    );
    let trained = 0;
    for await (const { correlation } of trainer.train(2)) if (correlation !== null) trained++;
    await trainer.close();
    return { recording, values: Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join(""), trained };
  });
  const { readRecording } = (await import(/* @vite-ignore */ join(root, "dist/index.js"))) as typeof Volley;
  const bytes = readFileSync(join(root, "examples/data/alm.h5"));
  const { values: expected, ...rest } = await readRecording(bytes, "alm.h5");
  expect(recording).toEqual(JSON.parse(JSON.stringify(rest)));
  expect(values).toBe(sha256(new Uint8Array(expected.buffer)));
  expect(trained).toBe(2);
  await page.close();
});

test("a page trains a model of its own, given by an address", async () => {
  const page = await openLibrary(isolated);
  // A plain definition imports nothing: the copy of the library inside the worker is not the page's.
  const source = `export default {
    name: "Leak", description: "Decays, and fires above 1.", source: "this test",
    parameters: { tauMemMs: { unit: "ms", default: 10, exclusiveMin: 0, doc: "time constant" } },
    states: { v: { unit: "1", initial: 0, doc: "voltage" } },
    step: ({ v, tauMemMs, dtMs, current }) => ({ v: v.plus(dtMs.over(tauMemMs).times(current.minus(v))) }),
    margin: ({ v }) => v.minus(1),
    reset: () => ({ v: 0 }),
  };`;
  const rateHz = await page.evaluate(
    async ({ source, experiment }) => {
      const type = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      const drive = { excitatory: 1.5, inhibitory: 1.5 };
      const trainer = await volley.createTrainer({ ...experiment, drive, model: { type } }, { threads: 2 });
      const { value } = await trainer.train(1).next();
      await trainer.close();
      return value?.rateHz;
    },
    { source, experiment },
  );
  expect(rateHz).toBeGreaterThan(1);
  await page.close();
});

test("mistakes reach the page as messages a person can act on", async () => {
  const page = await openLibrary(isolated);
  const messages = await page.evaluate(async () => {
    const messageOf = (work: Promise<unknown>) =>
      work.then(
        () => "none",
        (error: Error) => `${error.name}: ${error.message}`,
      );
    const network = { neurons: 32, static: null, plastic: { inputsPerType: 8 } };
    return [
      await messageOf(volley.createTrainer({ ...network, neuron: 3 } as never)),
      await messageOf(volley.createTrainer({ ...network, targets: { type: "recording", file: "none.h5" } })),
      // Found by the engine, in the worker.
      await messageOf(volley.createTrainer({ ...network, model: { type: "LIF", parameters: { tauMem: 10 } } })),
    ];
  });
  expect(messages).toEqual([
    expect.stringMatching(/^UserError: .*unknown key "neuron".*did you mean "neurons"/),
    expect.stringMatching(/^UserError: none\.h5 cannot be fetched: the server answers 404/),
    expect.stringMatching(/^UserError: .*did you mean "tauMemMs"/),
  ]);
  // The browser itself logs the 404.
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !text.includes("404")));
  await page.close();
});

test("the example page learns and draws, until it is stopped", async () => {
  const page = await open(isolated, "example/index.html");
  const status = page.locator("#status");
  await page.waitForFunction(() => /trial [3-9]/.test(document.querySelector("#status")?.textContent ?? ""));
  await page.click("#stop");
  await page.waitForFunction(() => document.querySelector("#status")?.textContent?.includes("done"));
  expect(await status.textContent()).toMatch(
    /^trial \d+: correlation -?\d\.\d\d, \d+\.\d spikes\/s; done on \d+ thread/,
  );
  const ink = await page.evaluate(() => {
    const canvas = document.querySelector("canvas")!;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
  });
  expect(ink).toBeGreaterThan(200);
  await page.close();
});
