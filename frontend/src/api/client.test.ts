import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, GarbledError, get, NetworkError, onSignedOut, post, remove } from "./client";

function answer(status: number, body: string | null, headers: Record<string, string> = {}) {
  const fetch = vi.fn(async (_url: string, _init: RequestInit) => {
    return new Response(body, { status, headers });
  });
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

const refusal = JSON.stringify({
  error: { code: "invalid", message: "strength is 9.", field: "strength", fix: "Take 1 to 3." },
});

afterEach(() => {
  vi.unstubAllGlobals();
  // biome-ignore lint/suspicious/noDocumentCookie: jsdom has no cookie store.
  document.cookie = "csrftoken=; Max-Age=0";
});

describe("request", () => {
  it("returns the parsed body, and null for none", async () => {
    answer(200, '{"results": []}');
    expect(await get("projects/")).toEqual({ results: [] });
    answer(204, null);
    expect(await remove("tokens/x/")).toBeNull();
  });

  it("sends the CSRF token that the cookie holds now", async () => {
    const fetch = answer(200, "{}");
    // biome-ignore lint/suspicious/noDocumentCookie: jsdom has no cookie store.
    document.cookie = "csrftoken=fresh";
    await post("session/", { a: 1 });
    const [url, init] = fetch.mock.calls[0] ?? [];
    expect(url).toBe("/api/session/");
    expect(init?.headers).toMatchObject({ "X-CSRFToken": "fresh" });
    expect(init?.body).toBe('{"a":1}');
  });

  it("leaves a form's content type to the browser", async () => {
    const fetch = answer(200, "{}");
    await post("x/", new FormData());
    expect(fetch.mock.calls[0]?.[1].headers).not.toHaveProperty("Content-Type");
  });

  it("turns a refusal into the server's own sentence", async () => {
    answer(400, refusal);
    const error = await get("x/").catch((caught) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 400,
      code: "invalid",
      message: "strength is 9.",
      field: "strength",
      fix: "Take 1 to 3.",
    });
  });

  it("reads how long to wait", async () => {
    answer(429, refusal, { "Retry-After": "90" });
    expect(await get("x/").catch((error) => error.retryAfter)).toBe(90);
  });

  it("tells a lost network from a refusal", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(get("x/")).rejects.toBeInstanceOf(NetworkError);
  });

  it.each([
    [200, "<html>"],
    [502, "Bad gateway"],
    [500, '{"unexpected": 1}'],
    [200, ""],
  ])("never takes a garbled answer for one: %i %s", async (status, body) => {
    answer(status, body);
    await expect(get("x/")).rejects.toBeInstanceOf(GarbledError);
  });

  it("says when nobody is signed in any more", async () => {
    const told = vi.fn();
    const stop = onSignedOut(told);
    answer(401, refusal);
    await get("x/").catch(() => null);
    stop();
    expect(told).toHaveBeenCalledOnce();
  });
});
