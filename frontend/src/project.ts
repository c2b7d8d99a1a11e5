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

export async function loadProject(slug: string): Promise<void> {
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

/** The project of this address, loaded once for all pages below it. */
export function useProject(slug: string | undefined): ProjectState | null {
  useEffect(() => {
    if (slug && project.value?.slug !== slug) loadProject(slug);
  }, [slug]);
  return project.value?.slug === slug ? project.value : null;
}
