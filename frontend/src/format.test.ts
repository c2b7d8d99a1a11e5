import { describe, expect, it } from "vitest";
import { clock, percent, relative, size } from "./format";

describe("format", () => {
  it("writes a share as a whole percentage", () => {
    expect([percent(0.631), percent(0), percent(1)]).toEqual(["63", "0", "100"]);
  });

  it("writes bytes in a unit that one can read", () => {
    expect([size(0), size(999), size(3_420_000), size(1e15)]).toEqual([
      "0 byte",
      "999 byte",
      "3.4 MB",
      "1,000 TB",
    ]);
  });

  it("writes seconds as a clock", () => {
    expect([clock(0), clock(192.7), clock(3792)]).toEqual(["0:00", "3:12", "1:03:12"]);
  });

  it("writes how far a moment is away", () => {
    const now = Date.parse("2026-01-08T00:00:00Z");
    expect(relative("2026-01-14T23:59:00Z", now)).toBe("in 7 days");
    expect(relative("2026-01-07T21:00:00Z", now)).toBe("3 hours ago");
    expect(relative("2026-01-08T00:00:20Z", now)).toBe("in 20 seconds");
  });
});
