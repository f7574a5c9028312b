import { expect, test } from "vitest";
import { erfcx } from "./erfcx.ts";

// mpmath 1.3, 40 digits: exp(x*x)*erfc(x)
const known: [number, number][] = [
  [-26.0, 7.657724931490568e293],
  [-20.25, 2 * Math.exp(20.25 * 20.25)],
  [-10.0, 5.376234283632271e43],
  [-5.5, 27443409954929.71],
  [-2.0, 108.94090438997797],
  [-1.0, 5.008980080762283],
  [-0.3, 1.4537492328427655],
  [-1.0e-8, 1.0000000112837917],
  [0.0, 1.0],
  [1.0e-9, 0.9999999988716208],
  [0.1, 0.8964569799691267],
  [0.5, 0.6156903441929259],
  [1.0, 0.427583576155807],
  [2.0, 0.25539567631050575],
  [3.75, 0.14558972127503855],
  [5.0, 0.11070463773306863],
  [10.0, 0.05614099274382259],
  [27.0, 0.02088160799042094],
  [50.0, 0.011281536265323773],
  [1000.0, 0.0005641893014533876],
  [1e8, 5.641895835477562e-9],
  [1e200, 5.641895835477563e-201],
];

test.each(known)("erfcx(%f) to 1e-14", (x, value) => {
  expect(Math.abs(erfcx(x) / value - 1)).toBeLessThan(x === -20.25 ? 1e-13 : 1e-14);
});

test("erfcx at the ends", () => {
  expect(erfcx(Number.POSITIVE_INFINITY)).toBe(0);
  expect(erfcx(Number.NEGATIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  expect(erfcx(Number.NaN)).toBeNaN();
});
