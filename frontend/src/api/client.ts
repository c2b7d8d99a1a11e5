/** The one way the front end talks to the server. */

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** The server refused, and said why in a sentence for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field = "",
    readonly fix = "",
    /** Seconds to wait before trying again, where the server said so. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

/** The request or its answer was lost on the way: it may or may not have arrived. */
export class NetworkError extends Error {}

/** Something answered, but not in the server's words: a proxy's page, or half an answer. */
export class GarbledError extends Error {
  constructor(readonly status: number) {
    super(`The answer (status ${status}) could not be read.`);
  }
}

export interface Options {
  signal?: AbortSignal;
  /** Lets the request outlive the page. */
  keepalive?: boolean;
}

type Listener = () => void;
const signedOutListeners = new Set<Listener>();

/** Calls `listener` whenever the server says that nobody is signed in. */
export function onSignedOut(listener: Listener): Listener {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

export const get = <T>(path: string, options?: Options) =>
  request<T>("GET", path, undefined, options);
export const post = <T>(path: string, body: unknown = {}, options?: Options) =>
  request<T>("POST", path, body, options);
export const put = <T>(path: string, body: unknown, options?: Options) =>
  request<T>("PUT", path, body, options);
export const patch = <T>(path: string, body: unknown, options?: Options) =>
  request<T>("PATCH", path, body, options);
export const remove = <T = null>(path: string, options?: Options) =>
  request<T>("DELETE", path, undefined, options);

/**
 * Asks the server for `path` (below /api/).
 *
 * @returns the parsed body; null for 204.
 * @throws ApiError, NetworkError, GarbledError; an abort stays a DOMException.
 */
export async function request<T>(
  method: Method,
  path: string,
  body?: unknown,
  { signal, keepalive }: Options = {},
): Promise<T> {
  const response = await send(method, path, body, { signal, keepalive });
  if (response.status === 204) return null as T;
  const parsed = await readJson(response);
  if (response.ok) return parsed as T;
  const error = toApiError(response, parsed);
  if (error.status === 401) for (const listener of signedOutListeners) listener();
  throw error;
}

async function send(method: Method, path: string, body: unknown, options: Options) {
  const form = body instanceof FormData;
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  try {
    return await fetch(`/api/${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : form ? body : JSON.stringify(body),
      credentials: "same-origin",
      ...options,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new NetworkError("The server could not be reached.");
  }
}

async function readJson(response: Response): Promise<unknown> {
  let text: string;
  try {
    text = await response.text();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new NetworkError("The answer was cut off.");
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new GarbledError(response.status);
  }
}

function toApiError(response: Response, parsed: unknown): ApiError {
  const error = (parsed as { error?: Record<string, unknown> } | null)?.error;
  if (typeof error?.message !== "string") throw new GarbledError(response.status);
  const wait = Number(response.headers.get("Retry-After"));
  return new ApiError(
    response.status,
    String(error.code ?? ""),
    error.message,
    String(error.field ?? ""),
    String(error.fix ?? ""),
    wait > 0 ? wait : null,
  );
}

/** Read at every request: signing in rotates the token. */
export function csrfToken(): string {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}
