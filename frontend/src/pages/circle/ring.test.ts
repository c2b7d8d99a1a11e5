import { describe, expect, test } from "vitest";
import { type Box, lyingRing, PLACES, type Place, standingRing } from "./ring";

const box = (x: number, y: number, width = 200, height = 80): Box => ({ x, y, width, height });

const LYING: Record<Place, Box> = {
  labels: box(150, 0),
  batch: box(440, 0),
  reward: box(740, 0),
  run: box(640, 280, 300),
  policy: box(150, 280),
};
const STANDING = Object.fromEntries(
  PLACES.map((place, i) => [place, box(40, i * 110, 300)]),
) as Record<Place, Box>;

describe("every ring", () => {
  const rings = { lying: lyingRing(LYING, 80, 1000), standing: standingRing(STANDING, 8, 560) };

  test.each(Object.entries(rings))("%s goes once around and comes back", (_, arcs) => {
    expect(arcs.map(({ from }) => from)).toEqual(PLACES);
    expect(arcs.map(({ to }) => to)).toEqual([...PLACES.slice(1), "labels"]);
  });

  test.each(Object.entries(rings))(
    "%s has every tip just outside the node it points at",
    (name, arcs) => {
      const boxes = name === "lying" ? LYING : STANDING;
      for (const { to, tip } of arcs) {
        const { x, y, width, height } = boxes[to];
        const outside = Math.max(x - tip.x, tip.x - x - width, y - tip.y, tip.y - y - height);
        expect(outside).toBeGreaterThan(0);
        expect(outside).toBeLessThan(8);
      }
    },
  );

  test.each(Object.entries(rings))("%s is drawn with numbers only", (_, arcs) => {
    for (const { path } of arcs) expect(path).not.toMatch(/NaN|undefined|Infinity/);
  });
});

test("a lying ring runs clockwise: right above, left below", () => {
  const angles = lyingRing(LYING, 80, 1000).map(({ tip }) => tip.angle);
  expect(angles).toEqual([0, 0, 180, 180, 0]);
});

const bendOf = (path = "") => Number(/A([\d.]+) /.exec(path)?.[1]);

test("a ring too low for its bend narrows the bend instead of crossing itself", () => {
  const low = { ...LYING, run: box(640, 40, 300), policy: box(150, 40) };
  expect(bendOf(lyingRing(low, 80, 1000)[2]?.path)).toBe(20);
});

test("a ring with little room at its sides never runs back on itself", () => {
  expect(bendOf(lyingRing(LYING, 110, 1000)[4]?.path)).toBe(35);
});
