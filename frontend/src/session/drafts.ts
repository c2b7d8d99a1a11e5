/** Drafts that the server does not have yet, kept in this browser for the person who writes them. */

import type { Draft } from "../api/types";

/** What nobody came back to for so long is dropped. */
const KEPT_MS = 30 * 86_400_000;

export class Drafts {
  private readonly prefix: string;

  constructor(user: string) {
    this.prefix = `vibecheck.draft.${user}.`;
    for (const name of Object.keys(localStorage)) {
      if (!name.startsWith(this.prefix)) continue;
      const entry = read(name);
      if (!entry || Date.now() - entry.at > KEPT_MS) localStorage.removeItem(name);
    }
  }

  of(key: string): Partial<Draft> | null {
    const entry = read(this.prefix + key);
    return entry && { ...entry.draft, at: entry.at };
  }

  /** A browser whose store is full or shut keeps none; the server's copy follows in a moment. */
  keep(key: string, draft: Draft): void {
    try {
      const { at = Date.now(), ...rest } = draft;
      localStorage.setItem(this.prefix + key, JSON.stringify({ at, draft: rest }));
    } catch {
      this.drop(key);
    }
  }

  drop(key: string): void {
    localStorage.removeItem(this.prefix + key);
  }

  /** Drops the copy of what the server has stored, unless more was written since. */
  stored(key: string, draft: Draft): void {
    if (this.of(key)?.at === draft.at) this.drop(key);
  }
}

function read(name: string): { at: number; draft: Partial<Draft> } | null {
  try {
    const entry = JSON.parse(localStorage.getItem(name) ?? "null");
    return typeof entry?.at === "number" && typeof entry.draft === "object" ? entry : null;
  } catch {
    return null;
  }
}
