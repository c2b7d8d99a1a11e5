import { compact, percentage } from "./figures";
import { linear, type Span, spanOf, ticks } from "./scale";
import "./traces.css";

/** The way that one run went: places in the order of its steps. */
export interface Trace {
  name: string;
  places: readonly { x: number; y: number }[];
}

interface Props {
  /** What stands below the horizontal axis. */
  axis: string;
  /** The whole chart in a sentence. */
  summary: string;
  /** The first is drawn whole, the others dashed. */
  traces: readonly Trace[];
  /** Whether y goes from 0 to 1 and is said in per cent. */
  share: boolean;
}

const [WIDTH, HEIGHT] = [560, 260];
const FRAME = { left: 48, right: 16, top: 12, bottom: 40 };

/** Runs on the same axes, each from where it began (hollow) to where it ended. */
export function Traces({ axis, summary, traces, share }: Props) {
  const places = traces.flatMap((trace) => trace.places);
  const x: Span = spanOf(
    places.map((place) => place.x),
    [0],
  );
  const y: Span = spanOf(
    places.map((place) => place.y),
    share ? [0, 1] : [],
  );
  const [right, bottom] = [WIDTH - FRAME.right, HEIGHT - FRAME.bottom];
  const across = linear(x, [FRAME.left, right]);
  const up = linear(y, [bottom, FRAME.top]);
  return (
    <svg class="traces" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={summary}>
      {ticks(y[0], y[1], 4).map((value) => (
        <g key={value}>
          <path class="trace-grid" d={`M${FRAME.left} ${up(value)}H${right}`} />
          <text x={FRAME.left - 8} y={up(value) + 4} text-anchor="end">
            {share ? percentage(value, 0) : compact(value)}
          </text>
        </g>
      ))}
      {ticks(x[0], x[1], 5).map((value) => (
        <g key={value}>
          <path class="trace-grid" d={`M${across(value)} ${bottom}v4`} />
          <text x={across(value)} y={bottom + 17} text-anchor="middle">
            {compact(value)}
          </text>
        </g>
      ))}
      <text x={(FRAME.left + right) / 2} y={HEIGHT - 4} text-anchor="middle">
        {axis}
      </text>
      {traces.map(({ name, places }) => {
        const [first, last] = [places[0], places.at(-1)];
        return (
          <g key={name} class="trace">
            <path
              d={places
                .map((place, i) => `${i ? "L" : "M"}${across(place.x)} ${up(place.y)}`)
                .join("")}
            />
            {first && <circle class="start" cx={across(first.x)} cy={up(first.y)} r={3.5} />}
            {last && <circle cx={across(last.x)} cy={up(last.y)} r={3.5} />}
          </g>
        );
      })}
    </svg>
  );
}
