/** The project that the page is about; the top bar shows it, and pages share one copy. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "./api/client";
import type { Project } from "./api/types";

export interface ProjectState {
  slug: string;
  data: Project | null;
  error: Error | null;
}

export const project = signal<ProjectState | null>(null);

let loading: { slug: string; done: Promise<void> } | null = null;

/** Loads it anew; those who ask at the same time share one request. */
export function loadProject(slug: string): Promise<void> {
  if (loading?.slug === slug) return loading.done;
  const done = load(slug).finally(() => {
    loading = null;
  });
  loading = { slug, done };
  return done;
}

async function load(slug: string): Promise<void> {
  if (project.value?.slug !== slug) project.value = { slug, data: null, error: null };
  try {
    const data = await get<Project>(`projects/${slug}/`);
    if (project.value?.slug === slug) project.value = { slug, data, error: null };
  } catch (error) {
    if (project.value?.slug === slug) project.value = { ...project.value, error: error as Error };
  }
}

/** Puts in place what the server has just returned. */
export function setProject(data: Project): void {
  project.value = { slug: data.slug, data, error: null };
}

/** The project of this address: what is known of it at once, and fresh with every page. */
export function useProject(slug: string | undefined): ProjectState | null {
  useEffect(() => {
    if (slug) loadProject(slug);
  }, [slug]);
  return project.value?.slug === slug ? project.value : null;
}
