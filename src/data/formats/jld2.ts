/**
 * Julia's JLD and JLD2 files, in which TrainSpikingNet.jl keeps its targets. Both are HDF5. Julia stores arrays with the
 * first index running fastest and HDF5 describes them with the last, so a Julia array `rows x neurons x tasks` appears
 * here as `tasks x neurons x rows`, and `rows x neurons` as `neurons x rows`, without any number moving.
 */

import type { Candidate } from "./choose-arrays.ts";
import type { Hdf5File } from "./hdf5-file.ts";
import type { Orientation } from "./orientation.ts";

/** How Julia's `rows x neurons` looks to an HDF5 reader. */
export const juliaOrientation: Orientation = "neurons-by-rows";

/** Type descriptions and the like that the Julia packages keep beside the data. */
const bookkeeping = /^(?:_types|_refs|_require|_creator)(?:\/|$)/;

/** The datasets of a user: everything but the bookkeeping of JLD and JLD2. */
export function juliaDatasets(file: Hdf5File): Candidate[] {
  return file.datasets
    .filter(({ path }) => !bookkeeping.test(path))
    .map(({ path, shape, dtype, kind }) => ({ name: path, shape, dtype, numeric: kind === "number" }));
}
