/** Where the circle's line runs between its nodes, and where its arrowheads stand. */

export type Place = "labels" | "batch" | "reward" | "run" | "policy";
export const PLACES: readonly Place[] = ["labels", "batch", "reward", "run", "policy"];

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A piece of the line, from the edge of one node to the edge of the next. */
export interface Arc {
  from: Place;
  to: Place;
  path: string;
  /** The tip of its arrowhead; the angle in degrees, 0 pointing right and 90 down. */
  tip: { x: number; y: number; angle: number };
}

/** Between an arrowhead's tip and the node that it points at. */
const GAP = 5;

/**
 * A ring that lies: three nodes above from left to right, two below from right to left, and bends
 * at `left` and `right` that hold a label each.
 */
export function lyingRing(box: Record<Place, Box>, left: number, right: number): Arc[] {
  const [above, below] = [middleY(box.labels), middleY(box.policy)];
  const run = endX(box.run) + GAP;
  const labels = box.labels.x - GAP;
  const room = [(below - above) / 2, labels - left, box.policy.x - left, right - run];
  const bend = Math.max(0, Math.min(72, ...room, right - endX(box.reward)));
  return [
    across(box, "labels", "batch"),
    across(box, "batch", "reward"),
    {
      from: "reward",
      to: "run",
      path:
        `M${endX(box.reward)} ${above}H${right - bend}` +
        `A${bend} ${bend} 0 0 1 ${right} ${above + bend}V${below - bend}` +
        `A${bend} ${bend} 0 0 1 ${right - bend} ${below}H${run}`,
      tip: { x: run, y: below, angle: 180 },
    },
    across(box, "run", "policy"),
    {
      from: "policy",
      to: "labels",
      path:
        `M${box.policy.x} ${below}H${left + bend}` +
        `A${bend} ${bend} 0 0 1 ${left} ${below - bend}V${above + bend}` +
        `A${bend} ${bend} 0 0 1 ${left + bend} ${above}H${labels}`,
      tip: { x: labels, y: above, angle: 0 },
    },
  ];
}

/**
 * A ring that stands: all nodes below one another, and a way back up at their left, which begins
 * below them at the height of `turn`.
 */
export function standingRing(box: Record<Place, Box>, left: number, turn: number): Arc[] {
  const down = box.labels.x + 20;
  const pieces = PLACES.slice(1).map((to, i) => {
    const from = PLACES[i] as Place;
    const tip = box[to].y - GAP;
    return {
      from,
      to,
      path: `M${down} ${endY(box[from])}V${tip}`,
      tip: { x: down, y: tip, angle: 90 },
    };
  });
  const above = middleY(box.labels);
  const labels = box.labels.x - GAP;
  const bend = Math.max(0, Math.min(labels - left, 16, turn - endY(box.policy)));
  const back =
    `M${down} ${endY(box.policy)}V${turn}H${left + bend}` +
    `A${bend} ${bend} 0 0 1 ${left} ${turn - bend}V${above + bend}` +
    `A${bend} ${bend} 0 0 1 ${left + bend} ${above}H${labels}`;
  return [
    ...pieces,
    { from: "policy", to: "labels", path: back, tip: { x: labels, y: above, angle: 0 } },
  ];
}

/** A straight piece between neighbours in a row, in whichever direction the next one lies. */
function across(box: Record<Place, Box>, from: Place, to: Place): Arc {
  const y = middleY(box[from]);
  const rightwards = box[to].x > box[from].x;
  const start = rightwards ? endX(box[from]) : box[from].x;
  const x = rightwards ? box[to].x - GAP : endX(box[to]) + GAP;
  return { from, to, path: `M${start} ${y}H${x}`, tip: { x, y, angle: rightwards ? 0 : 180 } };
}

const middleY = (box: Box) => box.y + box.height / 2;
const endX = (box: Box) => box.x + box.width;
const endY = (box: Box) => box.y + box.height;
