import { useEffect } from "preact/hooks";
import { type Resource, useResource } from "../../api/resource";
import type { GuidelinesVersion, Results } from "../../api/types";

/**
 * The guidelines; a version that was never acknowledged opens by itself, once a sitting.
 *
 * `wanted` is the version that what is shown was asked under; undefined while nothing is.
 */
export function useGuidelines(
  slug: string,
  wanted: number | null | undefined,
  open: () => void,
): Resource<Results<GuidelinesVersion>> {
  const versions = useResource<Results<GuidelinesVersion>>(`projects/${slug}/guidelines/`);
  const { reload } = versions;
  const newest = versions.data?.results[0];
  const unread = newest?.acknowledged === false ? newest.version : null;
  const known = newest?.version ?? null;
  const outdated = versions.data !== null && wanted !== undefined && wanted !== known;
  useEffect(() => {
    if (outdated) reload();
  }, [outdated, reload]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version opens them, no redraw.
  useEffect(() => {
    if (unread !== null) open();
  }, [unread]);
  return versions;
}
