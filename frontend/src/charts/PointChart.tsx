import { percentage } from "./figures";
import { linear, type Span, ticks } from "./scale";
import "./points.css";

/** A share with its interval, at a place. */
export interface Point {
  x: number;
  value: number;
  low: number;
  high: number;
  /** Not measured but expected: drawn hollow and dashed. */
  expected?: boolean;
}

interface Props {
  title: string;
  /** What stands below the horizontal axis. */
  axis: string;
  /** The whole chart in a sentence. */
  summary: string;
  points: readonly Point[];
  x: Span;
  y: Span;
  /** Marks of the horizontal axis; round numbers without them. */
  marks?: readonly { x: number; label: string }[];
  /** A line that the points would lie on. */
  line?: { from: readonly [number, number]; to: readonly [number, number]; label: string };
  /** Whether neighbours are joined. */
  joined?: boolean;
}

const [WIDTH, HEIGHT] = [360, 240];
const FRAME = { left: 44, right: 24, top: 12, bottom: 40 };

/** Shares as points with their intervals, on axes that say what they are. */
export function PointChart({ title, axis, summary, points, x, y, marks, line, joined }: Props) {
  const [bottom, right] = [HEIGHT - FRAME.bottom, WIDTH - FRAME.right];
  const across = linear(x, [FRAME.left, right]);
  const up = linear(y, [bottom, FRAME.top]);
  const below = marks ?? ticks(x[0], x[1], 5).map((at) => ({ x: at, label: percentage(at, 0) }));
  const path = points.map(({ x, value }, i) => `${i ? "L" : "M"}${across(x)} ${up(value)}`);
  return (
    <figure class="point-chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={summary}>
        {ticks(y[0], y[1], 4).map((share) => (
          <g key={share}>
            <path class="point-grid" d={`M${FRAME.left} ${up(share)}H${right}`} />
            <text x={FRAME.left - 8} y={up(share) + 4} text-anchor="end">
              {percentage(share, 0)}
            </text>
          </g>
        ))}
        {below.map(({ x, label }) => (
          <g key={x}>
            <path class="point-grid" d={`M${across(x)} ${bottom}v4`} />
            <text x={across(x)} y={bottom + 17} text-anchor="middle">
              {label}
            </text>
          </g>
        ))}
        <text x={(FRAME.left + right) / 2} y={HEIGHT - 4} text-anchor="middle">
          {axis}
        </text>
        {line && (
          <>
            <path
              class="point-line"
              d={`M${across(line.from[0])} ${up(line.from[1])}L${across(line.to[0])} ${up(line.to[1])}`}
            />
            <text class="point-note" x={right} y={up(line.to[1]) - 6} text-anchor="end">
              {line.label}
            </text>
          </>
        )}
        {joined && <path class="point-path" d={path.join("")} />}
        {points.map((point) => (
          <g key={point.x} class={point.expected ? "point expected" : "point"}>
            <path
              class="point-bar"
              d={`M${across(point.x)} ${up(point.low)}V${up(point.high)}m-4 0h8M${across(point.x) - 4} ${up(point.low)}h8`}
            />
            <circle cx={across(point.x)} cy={up(point.value)} r={4} />
          </g>
        ))}
      </svg>
    </figure>
  );
}
