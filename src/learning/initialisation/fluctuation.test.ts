import fc from "fast-check";
import { expect, test } from "vitest";
import { fluctuationMoments } from "./fluctuation.ts";

const response = { ebar: 0.0105, ehat: 0.00184 };
const alone = (drive: number) => ({ drive, share: 1, totalDrive: drive });

test("centred: s = sigma / sqrt(N nu ehat)", () => {
  const { mean, sd } = fluctuationMoments({ mean: 0, sigma: 1 }, alone(700 * 15.8), response, "x");
  expect(mean).toBe(0);
  expect(sd).toBeCloseTo(1 / Math.sqrt(700 * 15.8 * 0.00184), 12);
});

test("several afferents: their means and variances add up to what is aimed at", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ drive: fc.double({ min: 500, max: 1e5, noNaN: true }), weight: fc.integer({ min: 1, max: 9 }) }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
      fc.double({ min: -0.1, max: 0.1, noNaN: true }),
      (afferents, mean) => {
        const totalDrive = afferents.reduce((sum, { drive }) => sum + drive, 0);
        const weights = afferents.reduce((sum, { weight }) => sum + weight, 0);
        let [first, second] = [0, 0];
        for (const { drive, weight } of afferents) {
          const share = weight / weights;
          const moments = fluctuationMoments({ mean, sigma: 2 }, { drive, share, totalDrive }, response, "x");
          first += drive * response.ebar * moments.mean;
          second += drive * response.ehat * (moments.mean ** 2 + moments.sd ** 2);
        }
        expect(first).toBeCloseTo(mean, 10);
        expect(second).toBeCloseTo(4, 10);
      },
    ),
  );
});

test("a mean that alone brings too much variance is refused, with what to raise, which then works", () => {
  const target = { mean: 0.8, sigma: 0.05 };
  const asked = (sigma: number, drive: number) => () =>
    fluctuationMoments({ ...target, sigma }, alone(drive), response, "the rule");
  let message = "";
  try {
    asked(0.05, 30)();
  } catch (error) {
    message = (error as Error).message;
  }
  const [, sigma, drive] = /alone give ([\d.]+): raise sigma above that .* above ([\d.]+)$/.exec(message) ?? [];
  expect(message).toMatch(/^the rule asks for a mean of 0\.8 and a standard deviation of 0\.05/);
  expect(asked(0.97 * Number(sigma), 30)).toThrow(/raise sigma/);
  expect(asked(1.03 * Number(sigma), 30)).not.toThrow();
  expect(asked(0.05, 0.97 * Number(drive))).toThrow(/raise sigma/);
  expect(asked(0.05, 1.03 * Number(drive))).not.toThrow();
});
