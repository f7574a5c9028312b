import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { streamKind } from "../../random/streams.ts";
import type { Frames, StepEvents } from "../labelled-set.ts";
import type { Encoder, SetInfo } from "./encoder.ts";
import { type EncoderDescription, makeEncoder } from "./make-encoder.ts";
import { SampleDraws } from "./sample-draws.ts";

const draws = () => new SampleDraws(3, streamKind.encoding).at(0, 0);

function frames(rows: readonly (readonly number[])[]): Frames {
  return { kind: "frames", frames: rows.length, values: Float32Array.from(rows.flat()) };
}

const info = (rows: readonly (readonly number[])[], range?: [number, number]): SetInfo => ({
  kind: "frames",
  channels: rows[0].length,
  frames: rows.length,
  range,
});

/** `step:channel` or `step:channel*value`, and the encoder. */
function encoded(description: EncoderDescription, rows: readonly (readonly number[])[], range?: [number, number]) {
  const encoder = makeEncoder(description, info(rows, range));
  const events = encoder.encode(frames(rows), draws());
  return { encoder, events, text: textOf(encoder, events) };
}

/** Checks the rules of StepEvents on the way. */
function textOf(encoder: Encoder, { steps, offsets, channels, values }: StepEvents): string {
  expect(offsets.length).toBe(steps + 1);
  expect(offsets[steps]).toBe(channels.length);
  expect(steps).toBeLessThanOrEqual(encoder.maxSteps);
  if (values !== null) expect(values.length).toBe(channels.length);
  const words: string[] = [];
  for (let step = 0; step < steps; step++) {
    let last = -1;
    for (let i = offsets[step]; i < offsets[step + 1]; i++) {
      expect(channels[i]).toBeGreaterThan(last);
      expect(channels[i]).toBeLessThan(encoder.channels);
      last = channels[i];
      words.push(`${step}:${channels[i]}${values === null || values[i] === 1 ? "" : `*${values[i]}`}`);
    }
  }
  return words.join(" ");
}

describe("current, rows and pixels", () => {
  const image = [
    [0, 255],
    [51, 0],
    [0, 0],
  ];

  it("presents rows, pixels or the whole", () => {
    expect(encoded({ type: "rows" }, image, [0, 255]).text).toBe("0:1 1:0*0.20000000298023224");
    const pixels = encoded({ type: "pixels", gain: 5 }, image, [0, 255]);
    expect(pixels.text).toBe("1:0*5 2:0");
    expect([pixels.encoder.channels, pixels.encoder.maxSteps]).toEqual([1, 6]);
    const whole = encoded({ type: "current", present: "whole", stepsPerFrame: 2, range: [0, 51] }, image, [0, 255]);
    expect(whole.text).toBe("0:1*5 0:2 1:1*5 1:2");
    expect([whole.encoder.channels, whole.encoder.maxSteps]).toEqual([6, 2]);
  });

  it("holds each frame and takes the range off", () => {
    expect(
      encoded({ type: "current", stepsPerFrame: 2, range: [1, 2] }, [
        [1, 2],
        [0, 1],
      ]).text,
    ).toBe("0:1 1:1 2:0*-1 3:0*-1");
  });

  it("takes samples shorter than the longest, but none longer or of other width", () => {
    const encoder = makeEncoder({ type: "rows" }, info(image));
    expect(encoder.encode(frames([[1, 0]]), draws()).steps).toBe(1);
    expect(() => encoder.encode(frames([...image, [0, 0]]), draws())).toThrow(
      'a sample holds 8 numbers, where encoder "current" expects 3 frames of 2 or fewer',
    );
    expect(() => encoder.encode(frames([[1]]), draws())).toThrow("holds 1 numbers");
    expect(() => encoder.encode(frames([]), draws())).toThrow("holds 0 numbers");
    const whole = makeEncoder({ type: "latency" }, info(image));
    expect(() => whole.encode(frames([[1, 0]]), draws())).toThrow("expects 3 frames of 2");
  });
});

describe("thresholdCrossing", () => {
  it("has the 39 grey levels, 79 neurons and a step per pixel of spiking sequential MNIST", () => {
    // Levels 0, 6, 13, 20, ... 247, 254; on neurons 0-38, off neurons 39-77, full 78.
    const row = [0, 5, 6, 20, 19, 0, 255, 255, 253, 254];
    const { encoder, text } = encoded({ type: "thresholdCrossing" }, [row], [0, 255]);
    expect([encoder.channels, encoder.maxSteps]).toEqual([79, 10]);
    const steps = text.split(" ").reduce<string[][]>(
      (list, word) => {
        const [step, channel] = word.split(":");
        list[Number(step)].push(channel);
        return list;
      },
      Array.from({ length: 10 }, () => []),
    );
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);
    expect(steps).toEqual([
      [], // the first pixel crosses nothing
      [], // 0 -> 5 passes no level
      ["1"], // 5 -> 6 reaches level 1
      ["2", "3"], // 6 -> 20 reaches 13 and 20
      ["42"], // 20 -> 19 falls below 20
      ["40", "41"], // 19 -> 0 falls below 13 and 6
      [...range(1, 38), "78"], // 0 -> 255
      ["78"], // still 255
      ["77"], // 255 -> 253 falls below 254
      ["38"], // 253 -> 254 reaches 254 again
    ]);
  });

  it("is the same for numbers that were scaled to 0 .. 1", () => {
    const grey = Array.from({ length: 500 }, (_, i) => (i * i * 31 + 7 * i) % 256);
    const { text } = encoded({ type: "thresholdCrossing" }, [grey], [0, 255]);
    expect(text.length).toBeGreaterThan(1000);
    expect(encoded({ type: "thresholdCrossing" }, [grey.map((value) => value / 255)]).text).toBe(text);
  });

  it("takes levels for sensors, with a block of neurons for each", () => {
    const trace = [
      [1, 9],
      [4, 9],
      [9, 2],
    ];
    const description = { type: "thresholdCrossing", present: "frames", levels: [2, 5], full: false } as const;
    const { encoder, text } = encoded({ ...description, stepsPerFrame: 3 }, trace);
    // Of sensor 0: on 0 1, off 2 3; of sensor 1: on 4 5, off 6 7. The second sensor stays at level 2.
    expect(encoder.channels).toBe(8);
    expect(text).toBe("3:0 6:1 6:7");
  });

  it("spikes for up minus down as often as levels lie between the ends", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(255), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 2, max: 60 }),
        (row, levels) => {
          const { events } = encoded({ type: "thresholdCrossing", levels, full: false }, [row], [0, 255]);
          const net = events.channels.reduce((sum, channel) => sum + (channel < levels ? 1 : -1), 0);
          const reached = (value: number) =>
            Array.from({ length: levels }, (_, i) => Math.floor((254 * i) / (levels - 1))).filter((l) => l <= value)
              .length;
          expect(net).toBe(reached(row[row.length - 1]) - reached(row[0]));
        },
      ),
    );
  });

  it("refuses levels that do not ascend", () => {
    for (const levels of [[], [1, 1], [2, 1], [NaN], 1, 2.5]) {
      expect(() => encoded({ type: "thresholdCrossing", levels }, [[0]])).toThrow("levels");
    }
  });
});

describe("deltaModulation", () => {
  const trace = [
    [10, 0],
    [14, 1],
    [15, -7],
    [15, -5],
    [11, -3],
  ];

  it("sends a spike per threshold gained or lost since the last one", () => {
    const { encoder, text } = encoded({ type: "deltaModulation", threshold: 2, stepsPerFrame: 2 }, trace);
    expect([encoder.channels, encoder.maxSteps]).toEqual([4, 10]);
    // Sensor 0: +2, then 15 - 14 waits, then 11 - 14 = -3 sends 1. Sensor 1: 1 waits, -7 sends 3, -5 waits, -3 - -6 sends 1.
    expect(text).toBe("2:0*2 4:3*3 8:1 8:2");
    expect(encoded({ type: "deltaModulation", threshold: 2, duplicates: "clip" }, trace).text).toBe("1:0 2:3 4:1 4:2");
  });

  it("can be undone to within a threshold", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 2, maxLength: 50 }), (values) => {
        const rows = values.map((value) => [value]);
        const { events } = encoded({ type: "deltaModulation", threshold: 4 }, rows);
        let level = values[0];
        for (let step = 0; step < events.steps; step++) {
          for (let i = events.offsets[step]; i < events.offsets[step + 1]; i++) {
            level += 4 * (events.values?.[i] ?? 1) * (events.channels[i] === 0 ? 1 : -1);
          }
          expect(Math.abs(level - values[step])).toBeLessThan(4);
        }
      }),
    );
  });
});

describe("latency", () => {
  it("follows tau ln(x / (x - threshold))", () => {
    // x = 1: 20 ln 1.25 = 4.46; 0.4: 20 ln 2 = 13.9; 0.21: 20 ln 21 = 60.9; 0.2 and less: never
    const row = [1, 0.4, 0.21, 0.2, 0, 0.2005];
    const { encoder, text } = encoded({ type: "latency" }, [row]);
    expect([encoder.channels, encoder.maxSteps]).toEqual([6, 100]);
    expect(text).toBe("4:0 13:1 60:2");
    expect(encoded({ type: "latency", steps: 200 }, [row]).text).toBe("4:0 13:1 60:2 119:5");
    expect(encoded({ type: "latency", tauMs: 50, threshold: 0.1, dtMs: 0.5 }, [row]).text).toBe(
      "10:0 28:1 64:2 69:3 69:5",
    );
  });

  it("is earlier for stronger inputs", () => {
    const row = Array.from({ length: 256 }, (_, i) => i);
    const { events } = encoded({ type: "latency" }, [row], [0, 255]);
    const byTime = [...events.channels];
    expect(byTime.length).toBeGreaterThan(190);
    for (let step = 1; step < events.steps; step++) {
      const here = events.channels.subarray(events.offsets[step], events.offsets[step + 1]);
      const later = events.channels.subarray(events.offsets[step + 1]);
      if (here.length > 0 && later.length > 0) expect(Math.min(...here)).toBeGreaterThan(Math.max(...later));
    }
  });
});

describe("poisson", () => {
  it("spikes with the probability of each number, at every step of its frame", () => {
    const steps = 20_000;
    const rows = [
      [0, 0.5, 1],
      [1, 2, -1],
    ];
    const { events, encoder, text } = encoded(
      { type: "poisson", rateHz: 200, present: "frames", stepsPerFrame: steps },
      rows,
    );
    expect([encoder.channels, encoder.maxSteps, encoder.random]).toEqual([3, 2 * steps, true]);
    expect(text.length).toBeGreaterThan(0);
    const counts = [0, 1].map((frame) => {
      const part = events.channels.subarray(events.offsets[frame * steps], events.offsets[(frame + 1) * steps]);
      return [0, 1, 2].map((channel) => part.filter((c) => c === channel).length);
    });
    const expected = [
      [0, 0.1, 0.2],
      [0.2, 0.2, 0],
    ];
    expected.forEach((row, frame) => {
      row.forEach((p, channel) => {
        const sd = Math.sqrt(steps * p * (1 - p));
        expect(Math.abs(counts[frame][channel] - steps * p)).toBeLessThanOrEqual(4 * sd);
      });
    });
  });

  it("spikes at every step at the highest rate, and differs from epoch to epoch below it", () => {
    expect(encoded({ type: "poisson", rateHz: 1000, stepsPerFrame: 3 }, [[1, 0]]).text).toBe("0:0 1:0 2:0");
    const encoder = makeEncoder({ type: "poisson" }, info([[1, 1]]));
    const source = new SampleDraws(1, streamKind.encoding);
    const at = (epoch: number) => textOf(encoder, encoder.encode(frames([[1, 1]]), source.at(epoch, 0)));
    expect(at(1)).not.toBe(at(2));
    expect(at(1)).toBe(at(1));
    expect(() => encoded({ type: "poisson", rateHz: 1001 }, [[1]])).toThrow("rateHz is 1001");
  });
});

describe("the shape of the inputs", () => {
  const shape = (description: EncoderDescription, set: Partial<SetInfo> = {}) =>
    makeEncoder(description, { kind: "frames", channels: 6, frames: 4, ...set }).shape;

  it("is frames by channels where all is shown at once, else a line of channels", () => {
    expect(shape({ type: "latency" })).toEqual([4, 6, 1]);
    expect(shape({ type: "poisson" })).toEqual([4, 6, 1]);
    expect([shape({ type: "rows" }), shape({ type: "pixels" })]).toEqual([
      [6, 1],
      [1, 1],
    ]);
  });

  it("is that of the set where the inputs are as many", () => {
    expect(shape({ type: "latency" }, { shape: [2, 4, 3] })).toEqual([2, 4, 3]);
    expect(shape({ type: "rows" }, { shape: [2, 3, 1] })).toEqual([2, 3, 1]);
    expect(shape({ type: "rows" }, { shape: [4, 6, 1] })).toEqual([6, 1]);
  });

  it("has the neurons of one number as channels of its place", () => {
    expect(shape({ type: "thresholdCrossing", levels: 3, present: "whole" })).toEqual([4, 6, 7]);
    expect(shape({ type: "deltaModulation", threshold: 1 })).toEqual([6, 2]);
  });
});

describe("bin of channels in space", () => {
  const set: SetInfo = { kind: "spikes", channels: 5 * 4 * 2, shape: [5, 4, 2], durationMs: 3 };
  const unit = (y: number, x: number, polarity: number) => (y * 4 + x) * 2 + polarity;
  const sample = {
    kind: "spikes",
    timesMs: Float32Array.of(0, 0, 0, 2, 3),
    units: Uint32Array.of(unit(0, 0, 1), unit(1, 1, 1), unit(1, 1, 0), unit(4, 3, 0), unit(2, 1, 1)),
  } as const;
  const binned = (options: object) => {
    const encoder = makeEncoder({ type: "bin", ...options }, set);
    return [encoder.shape, textOf(encoder, encoder.encode(sample, draws()))];
  };

  it("is as it was without options", () => {
    expect(binned({})).toEqual([[5, 4, 2], "0:1 0:10 0:11 2:38 3:19"]);
  });

  it("adds up squares, those at the edges smaller, and polarities if asked for", () => {
    expect(binned({ downsample: 2 })).toEqual([[3, 2, 2], "0:0 0:1 2:10 3:5"]);
    expect(binned({ downsample: 2, duplicates: "count" })).toEqual([[3, 2, 2], "0:0 0:1*2 2:10 3:5"]);
    expect(binned({ mergePolarities: true, duplicates: "count" })).toEqual([[5, 4, 1], "0:0 0:5*2 2:19 3:9"]);
    expect(binned({ downsample: 3, mergePolarities: true, duplicates: "count" })).toEqual([[2, 2, 1], "0:0*3 2:3 3:0"]);
  });

  it("keeps every event of every sample when it counts", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 39 })), { maxLength: 60 }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        (events, downsample, mergePolarities) => {
          events.sort((a, b) => a[0] - b[0]);
          const trains = {
            kind: "spikes",
            timesMs: Float32Array.from(events, ([time]) => time),
            units: Uint32Array.from(events, ([, one]) => one),
          } as const;
          const encoder = makeEncoder({ type: "bin", downsample, mergePolarities, duplicates: "count" }, set);
          const { values, channels } = encoder.encode(trains, draws());
          const total = values === null ? channels.length : values.reduce((sum, value) => sum + value, 0);
          expect(total).toBe(events.length);
          expect(encoder.shape.slice(0, 2)).toEqual([Math.ceil(5 / downsample), Math.ceil(4 / downsample)]);
        },
      ),
    );
  });

  it("refuses what has no places, and two ways at once", () => {
    const make = (options: object, info: SetInfo = set) => makeEncoder({ type: "bin", ...options }, info);
    const plain: SetInfo = { kind: "spikes", channels: 40, durationMs: 3 };
    expect(make({}, plain).shape).toEqual([40, 1]);
    expect(make({ mergeChannels: 3 }).shape).toEqual([14, 1]);
    expect(() => make({ downsample: 2 }, plain)).toThrow(
      "downsample needs channels in space, but nothing is known of this set's; say how they lie (data.reading.shape)",
    );
    expect(() => make({ downsample: 2, mergeChannels: 2 })).toThrow("give mergeChannels, or downsample");
    expect(() => make({ downsample: 0 })).toThrow("downsample is 0");
  });
});

describe("bin", () => {
  const spikes = { kind: "spikes", timesMs: Float32Array.of(0.2, 3, 9), units: Uint32Array.of(6, 1, 2) } as const;

  it("covers the set's last spike unless told otherwise", () => {
    const set: SetInfo = { kind: "spikes", channels: 7, durationMs: 9 };
    const encoder = makeEncoder({ type: "bin", mergeChannels: 2, dtMs: 3 }, set);
    expect([encoder.channels, encoder.maxSteps]).toEqual([4, 4]);
    expect(textOf(encoder, encoder.encode(spikes, draws()))).toBe("0:3 1:0 3:1");
    expect(makeEncoder({ type: "bin", dtMs: 5, rounding: "nearest" }, set).maxSteps).toBe(3);
    const shorter = makeEncoder({ type: "bin", durationMs: 5 }, set);
    expect(textOf(shorter, shorter.encode(spikes, draws()))).toBe("0:6 3:1");
    expect(() => makeEncoder({ type: "bin" }, { kind: "spikes", channels: 7 })).toThrow("needs durationMs");
  });

  it("and other encoders say which kind of set they take", () => {
    expect(() => makeEncoder({ type: "bin" }, info([[0]]))).toThrow('encoder "bin" takes spikes');
    expect(() => makeEncoder({ type: "latency" }, { kind: "spikes", channels: 7 })).toThrow('use encoder "bin"');
  });
});

it("names what is wrong with a description", () => {
  const make = (description: unknown) => makeEncoder(description as EncoderDescription, info([[0]]));
  expect(() => make({ type: "latencyy" })).toThrow('there is no encoder "latencyy"; there are bin, current');
  expect(() => make({ type: "latencyy" })).toThrow('did you mean "latency"?');
  expect(() => make({ type: "current", present: "rows" })).toThrow("it must be one of frames, values, whole");
  expect(() => make({ type: "current", range: [1, 1] })).toThrow("range is 1 to 1");
  expect(() => make({ type: "current", stepsPerFrame: 0 })).toThrow("stepsPerFrame is 0");
  expect(() => make({ type: "current", stepsPerFrame: 2 ** 30 })).toThrow("number of steps");
  expect(() => make({ type: "deltaModulation", threshold: 0 })).toThrow("threshold is 0");
});
