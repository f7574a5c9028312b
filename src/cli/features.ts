/** What this runtime can do, asked of the runtime itself and never concluded from its version. */

/** A module with one function that uses `i8x16.popcnt`: fixed-width SIMD. */
const simdModule = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  5,
  1,
  96,
  0,
  1,
  123,
  3,
  2,
  1,
  0,
  10,
  10,
  1,
  8,
  0,
  65,
  0,
  253,
  15,
  253,
  98,
  11,
);
/** The same with `i8x16.relaxed_swizzle`. */
const relaxedModule = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  5,
  1,
  96,
  0,
  1,
  123,
  3,
  2,
  1,
  0,
  10,
  15,
  1,
  13,
  0,
  65,
  1,
  253,
  15,
  65,
  2,
  253,
  15,
  253,
  128,
  2,
  11,
);

export interface RuntimeFeatures {
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
  readonly sharedMemory: boolean;
}

export function runtimeFeatures(): RuntimeFeatures {
  return {
    simd: WebAssembly.validate(simdModule),
    relaxedSimd: WebAssembly.validate(relaxedModule),
    sharedMemory: typeof SharedArrayBuffer === "function",
  };
}
