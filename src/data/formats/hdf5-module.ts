/**
 * The WebAssembly HDF5 library, kept usable. A damaged file can make the library trap or leave handles open; then the
 * instance is given up and the next file gets a fresh one.
 */

import type { H5Module } from "./hdf5-types.ts";

/** An instance is replaced after this many failed calls: each leaves a few handles and a little memory behind. */
const failuresPerInstance = 64;

type Factory = (options: Record<string, unknown>) => Promise<H5Module>;

let current: Promise<H5Module> | undefined;
let failures = 0;
let started = false;

/** The factory inside the package, where the platform can name it; bundled pages cannot and keep their instance. */
async function factory(): Promise<Factory | undefined> {
  try {
    const url = new URL("./hdf5_util.js", import.meta.resolve("h5wasm")).href;
    const module = (await import(/* @vite-ignore */ /* webpackIgnore: true */ url)) as { default: Factory };
    return module.default;
  } catch {
    return undefined;
  }
}

async function instantiate(): Promise<H5Module> {
  const make = started ? await factory() : undefined;
  const quiet = { noInitialRun: true, print: () => {}, printErr: () => {} };
  const module =
    make === undefined ? ((await (await import("h5wasm")).ready) as unknown as H5Module) : await make(quiet);
  started = true;
  // Without this a truncated file opens "successfully" and a corrupt chunk reads as whatever the memory held.
  module.activate_throwing_error_handler();
  return module;
}

/** The present instance; loaded on first use (some 4 MB of code, so only when an HDF5 file is met). */
export function hdf5Module(): Promise<H5Module> {
  current ??= instantiate();
  return current;
}

/** Tells that a call failed. An error that HDF5 itself reported is survivable; a trap is not. */
export function reportFailure(error: unknown): void {
  failures++;
  const reported = error instanceof Error && /HDF5|name not defined/.test(error.message);
  if (!reported || failures >= failuresPerInstance) {
    current = undefined;
    failures = 0;
  }
}
