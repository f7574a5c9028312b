"""Makes the small sets of spoken digits in examples/data out of the whole ones (needs h5py and numpy):

    python3 scripts/make-digits.py fsdd_train.h5.gz fsdd_test.h5.gz examples/data

Keeps, of every digit and speaker, 9 of the 45 training recordings and 3 of the 5 test recordings (the repetitions below), in
the order of the whole files and in their layout: lists of float16 times and uint16 units. The same input gives the same bytes with the same version of HDF5.
"""

import gzip
import io
import sys
from pathlib import Path

import h5py
import numpy as np

TRAINING = [5, 10, 16, 21, 27, 32, 38, 43, 49]
TEST = [0, 1, 2]


def subset(source: Path, target: Path, repetitions: list[int]) -> None:
    whole = h5py.File(io.BytesIO(gzip.decompress(source.read_bytes())))
    kept = np.flatnonzero(np.isin(whole["extra/repetition"][:], repetitions))
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for name, value in whole.attrs.items():
            file.attrs[name] = value
        file.attrs["changes"] = f"{len(kept)} of {len(whole['labels'])} samples"
        for name in ("spikes/times", "spikes/units"):
            file.create_dataset(name, (len(kept),), dtype=whole[name].dtype)
            for to, at in enumerate(kept):
                file[name][to] = whole[name][at]
        for name in ("labels", "extra/speaker", "extra/repetition"):
            file[name] = whole[name][:][kept]
        file["extra/keys"] = whole["extra/keys"][:]
    target.write_bytes(gzip.compress(memory.getvalue(), compresslevel=9, mtime=0))
    print(f"{target}: {len(kept)} samples, {target.stat().st_size} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    train, test, folder = map(Path, sys.argv[1:])
    subset(train, folder / "digits-train.h5.gz", TRAINING)
    subset(test, folder / "digits-test.h5.gz", TEST)
