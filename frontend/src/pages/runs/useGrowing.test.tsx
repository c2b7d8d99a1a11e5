import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Growing, useGrowing } from "./useGrowing";

interface Row {
  place: number;
}

let asked: string[];
let server: Row[];
let seen: Growing<Row>;
const root = document.createElement("div");
const pathOf = (run: number) => (last: Row | null) =>
  `runs/${run}/samples/?after=${last?.place ?? 0}`;
const FIRST = pathOf(1);
const SECOND = pathOf(2);
const append = (known: Row[], fresh: Row[]) => [...known, ...fresh];

function Reader({ path, every }: { path: typeof FIRST; every: number }) {
  seen = useGrowing(path, append, every);
  return null;
}

async function settle() {
  for (let i = 0; i < 30; i++) await new Promise((done) => setImmediate(done));
}

async function show(path: typeof FIRST, every: number) {
  act(() => render(<Reader path={path} every={every} />, root));
  await act(settle);
}

async function wait(ms: number) {
  vi.advanceTimersByTime(ms);
  await act(settle);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  asked = [];
  server = [{ place: 1 }, { place: 2 }];
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(url);
    const after = Number(new URL(url, "http://x").searchParams.get("after"));
    const results = server.filter(({ place }) => place > after).slice(0, 200);
    return new Response(JSON.stringify({ results }));
  });
});

afterEach(() => {
  render(null, root);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("asks only for what is new", async () => {
  await show(FIRST, 2);
  server.push({ place: 3 });
  await wait(2000);
  expect(seen.rows.map(({ place }) => place)).toEqual([1, 2, 3]);
  expect(asked.at(-1)).toContain("after=2");
});

test("reads a long list to its end at once", async () => {
  server = Array.from({ length: 450 }, (_, i) => ({ place: i + 1 }));
  await show(FIRST, 2);
  expect(seen.rows).toHaveLength(450);
});

test("looks once more when the run has ended, then rests", async () => {
  await show(FIRST, 2);
  server.push({ place: 3 });
  await show(FIRST, 0);
  expect(seen.rows).toHaveLength(3);
  const before = asked.length;
  await wait(10_000);
  expect(asked).toHaveLength(before);
});

test("starts over for another run, and keeps what it knows when the network fails", async () => {
  await show(FIRST, 2);
  server = [{ place: 1 }];
  await show(SECOND, 2);
  expect(seen.rows).toEqual([{ place: 1 }]);
  vi.stubGlobal("fetch", async () => {
    throw new TypeError("offline");
  });
  await wait(2000);
  expect(seen.error).not.toBeNull();
  expect(seen.rows).toHaveLength(1);
});
