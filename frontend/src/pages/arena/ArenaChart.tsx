import { useEffect, useRef, useState } from "preact/hooks";
import type { ArenaCurve, ArenaPoint } from "../../api/models";
import { decimal, percentage, rateOf, shareText, signed } from "../../charts/figures";
import { t } from "../../i18n";
import { nameOf } from "../models/words";
import { type Frame, type Layout, layOut, type PlacedPoint } from "./chart";

const HEIGHT = 360;
const MARGINS = { left: 52, right: 44, top: 40, bottom: 44 };
const DOT = 5;

interface Props {
  points: readonly ArenaPoint[];
  curve: ArenaCurve | null;
  /** The id of a version. */
  chosen: number | null;
  choose: (version: number) => void;
}

/** The product's central chart: what the proxy says and what people say, over the distance gone. */
export function ArenaChart({ points, curve, chosen, choose }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!box.current) return;
    const size = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    size.observe(box.current);
    return () => size.disconnect();
  }, []);

  const frame = { width, height: HEIGHT, ...MARGINS };
  const layout = layOut(points, curve, frame);
  return (
    <div class="arena-chart" ref={box}>
      {width > 0 && (
        <svg width={width} height={HEIGHT} role="group" aria-label={t("arena.chart")}>
          <Axes frame={frame} layout={layout} />
          {layout.points.map((placed) => {
            const point = points.find(({ version }) => version.id === placed.id);
            return (
              point && (
                <Mark
                  key={placed.id}
                  placed={placed}
                  point={point}
                  above={placed.id === curve?.leads?.id ? leadsWord(curve) : ""}
                  chosen={placed.id === chosen}
                  choose={() => choose(placed.id)}
                />
              )
            );
          })}
        </svg>
      )}
      <Legend curve={curve} />
    </div>
  );
}

const leadsWord = ({ confirmed }: ArenaCurve) => t(confirmed ? "arena.peak" : "arena.leads");

function inWords({ version, kl, proxy, win_rate }: ArenaPoint): string {
  return t("arena.point", {
    name: nameOf("policy", version),
    kl: kl === null ? t("arena.not_measured") : decimal(kl),
    proxy: proxy === null ? t("arena.not_measured") : signed(proxy),
    win_rate: shareText(rateOf(win_rate)),
  });
}

function Axes({ frame, layout }: { frame: Frame; layout: Layout }) {
  const { left, top } = frame;
  const [right, bottom] = [frame.width - frame.right, frame.height - frame.bottom];
  const stopped = layout.stop;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a group of a drawing takes no focus.
    <g class="arena-axes" aria-hidden="true">
      {layout.rateTicks.map(({ at, label }) => (
        <g key={label}>
          <path class={label === 0.5 ? "coin" : "grid"} d={`M${left} ${at}H${right}`} />
          <text x={left - 8} y={at + 4} text-anchor="end">
            {percentage(label, 0)}
          </text>
        </g>
      ))}
      <text x={left + 8} y={layout.coin - 6}>
        {t("arena.coin")}
      </text>
      {layout.proxyTicks.map(({ at, label }) => (
        <text key={label} class="proxy" x={right + 8} y={at + 4}>
          {label}
        </text>
      ))}
      {layout.xTicks.map(({ at, label }) => (
        <g key={label}>
          <path class="grid" d={`M${at} ${bottom}V${bottom + 4}`} />
          <text x={at} y={bottom + 18} text-anchor="middle">
            {label}
          </text>
        </g>
      ))}
      <text x={(left + right) / 2} y={frame.height - 6} text-anchor="middle">
        {t("arena.axis_kl")}
      </text>
      <path class="grid" d={`M${left} ${top}V${bottom}H${right}`} />
      <path class="proxy-line" d={layout.proxyLine} />
      <path class="fit-line" d={layout.fitLine} />
      {stopped !== null && (
        <>
          <path class="stop-line" d={`M${stopped} ${top - 20}V${bottom}`} />
          <text
            class="stop"
            x={stopped > right - 100 ? stopped - 6 : stopped + 6}
            y={top - 12}
            text-anchor={stopped > right - 100 ? "end" : "start"}
          >
            {t("arena.stop")}
          </text>
        </>
      )}
    </g>
  );
}

interface MarkProps {
  placed: PlacedPoint;
  point: ArenaPoint;
  /** What is written over it beside its name. */
  above: string;
  chosen: boolean;
  choose: () => void;
}

/** One state of a policy: its proxy reward, and its win rate with its interval. */
function Mark({ placed: { x, proxy, rate }, point, above, chosen, choose }: MarkProps) {
  const { number, step } = point.version;
  const name = step === null ? String(number) : t("arena.at_step", { step });
  const drawn = [name, above].filter(Boolean).join(" · ");
  const highest = Math.min(rate?.high ?? HEIGHT, proxy === null ? HEIGHT : proxy - DOT);
  return (
    <g
      class={chosen ? "arena-mark chosen" : "arena-mark"}
      role="button"
      tabIndex={0}
      // Whoever speaks to the page says what they see; the sentence follows it.
      aria-label={`${drawn}. ${inWords(point)}`}
      aria-pressed={chosen}
      onClick={choose}
      onMouseEnter={choose}
      onFocus={choose}
    >
      {proxy !== null && (
        <path
          class="proxy-dot"
          d={`M${x} ${proxy - DOT}l${DOT} ${DOT}l${-DOT} ${DOT}l${-DOT} ${-DOT}Z`}
        />
      )}
      {rate && (
        <>
          <path
            class="rate-bar"
            d={`M${x} ${rate.low}V${rate.high}M${x - 4} ${rate.low}h8M${x - 4} ${rate.high}h8`}
          />
          <circle class="rate-dot" cx={x} cy={rate.y} r={DOT} />
        </>
      )}
      <text x={x} y={Math.max(12, highest - 8)} text-anchor="middle">
        {drawn}
      </text>
      <rect class="arena-hit" x={x - 14} y={0} width={28} height={HEIGHT - MARGINS.bottom} />
    </g>
  );
}

function Legend({ curve }: { curve: ArenaCurve | null }) {
  return (
    <p class="arena-legend">
      <span>
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path class="rate-bar" d="M8 1V15M5 1h6M5 15h6" />
          <circle class="rate-dot" cx="8" cy="8" r="4" />
        </svg>
        {t("arena.axis_win")}
      </span>
      {curve !== null && curve.steps.length > 0 && (
        <span>
          <Stroke kind="proxy-line" />
          {t("arena.axis_proxy")}
        </span>
      )}
      <span>
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path class="proxy-dot" d="M8 4l4 4l-4 4l-4 -4Z" />
        </svg>
        {t("arena.proxy_dot")}
      </span>
      {curve?.fit && (
        <span>
          <Stroke kind="fit-line" />
          {t("arena.fit")}
        </span>
      )}
    </p>
  );
}

function Stroke({ kind }: { kind: string }) {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path class={kind} d="M0 8H16" />
    </svg>
  );
}
