/** Marks over rendered text, by the browser's own highlights: the nodes of the text stay as they are. */

/** Draws `ranges` as `::highlight(name)`; returns how to take them away. */
export function highlight(name: string, ranges: readonly Range[]): () => void {
  const registry = globalThis.CSS?.highlights;
  if (!registry || ranges.length === 0) return () => {};
  const marks = registry.get(name) ?? new Highlight();
  registry.set(name, marks);
  for (const range of ranges) marks.add(range);
  return () => {
    for (const range of ranges) marks.delete(range);
  };
}
