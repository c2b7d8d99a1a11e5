import { beforeEach, describe, expect, it } from "vitest";
import { ActiveTimer, IDLE_MS } from "./timer";

let now = 0;
let timer: ActiveTimer;

beforeEach(() => {
  now = 0;
  timer = new ActiveTimer(() => now);
});

describe("ActiveTimer", () => {
  it("counts while there are signs of life", () => {
    now = 4_000;
    timer.sign();
    now = 9_000;
    expect(timer.total).toBe(9_000);
  });

  it("counts reading without a sign up to the limit, and no further", () => {
    now = 10 * IDLE_MS;
    expect(timer.total).toBe(IDLE_MS);
    timer.sign();
    now += 1_000;
    expect(timer.total).toBe(IDLE_MS + 1_000);
  });

  it("stops while the page is hidden", () => {
    now = 5_000;
    timer.hide();
    now = 500_000;
    expect(timer.total).toBe(5_000);
    timer.sign();
    now = 502_000;
    expect(timer.total).toBe(7_000);
  });

  it("counts each pair apart", () => {
    now = 3_000;
    timer.newLap();
    now = 5_000;
    expect([timer.lap, timer.total]).toEqual([2_000, 5_000]);
  });

  it("knows whether somebody was there lately", () => {
    now = 2_000;
    expect([timer.usedWithin(3_000), timer.usedWithin(1_000)]).toEqual([true, false]);
    timer.hide();
    expect(timer.usedWithin(3_000)).toBe(false);
  });
});
