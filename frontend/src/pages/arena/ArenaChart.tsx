import { useEffect, useRef, useState } from "preact/hooks";
import type { ArenaPoint } from "../../api/models";
import { decimal, percentage, rateOf, shareText, signed } from "../../charts/figures";
import { t } from "../../i18n";
import { type Frame, layOut, type PlacedPoint } from "./chart";

const HEIGHT = 340;
const MARGINS = { left: 52, right: 44, top: 32, bottom: 44 };
const DOT = 5;

interface Props {
  points: readonly ArenaPoint[];
  /** Ids of versions. */
  peak: number | null;
  chosen: number | null;
  choose: (version: number) => void;
}

/** The product's central chart: what the proxy says and what people say, over the distance gone. */
export function ArenaChart({ points, peak, chosen, choose }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!box.current) return;
    const size = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    size.observe(box.current);
    return () => size.disconnect();
  }, []);

  const frame = { width, height: HEIGHT, ...MARGINS };
  return (
    <div class="arena-chart" ref={box}>
      {width > 0 && (
        <svg width={width} height={HEIGHT} role="group" aria-label={t("arena.chart")}>
          <Axes frame={frame} layout={layOut(points, frame)} />
          {layOut(points, frame).points.map((placed) => {
            const point = points.find(({ version }) => version.id === placed.id);
            return (
              point && (
                <Mark
                  key={placed.id}
                  placed={placed}
                  says={inWords(point)}
                  peak={placed.id === peak}
                  chosen={placed.id === chosen}
                  choose={() => choose(placed.id)}
                />
              )
            );
          })}
        </svg>
      )}
      <Legend />
    </div>
  );
}

function inWords({ version, kl, proxy, win_rate }: ArenaPoint): string {
  return t("arena.point", {
    number: version.number,
    kl: kl === null ? t("arena.not_measured") : decimal(kl),
    proxy: proxy === null ? t("arena.not_measured") : signed(proxy),
    win_rate: shareText(rateOf(win_rate)),
  });
}

function Axes({ frame, layout }: { frame: Frame; layout: ReturnType<typeof layOut> }) {
  const { left, top } = frame;
  const [right, bottom] = [frame.width - frame.right, frame.height - frame.bottom];
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
    </g>
  );
}

interface MarkProps {
  placed: PlacedPoint;
  says: string;
  peak: boolean;
  chosen: boolean;
  choose: () => void;
}

/** One policy: its proxy reward, and its win rate with its interval. */
function Mark({ placed: { x, proxy, rate, number }, says, peak, chosen, choose }: MarkProps) {
  const highest = Math.min(rate?.high ?? HEIGHT, proxy === null ? HEIGHT : proxy - DOT);
  return (
    <g
      class={chosen ? "arena-mark chosen" : "arena-mark"}
      role="button"
      tabIndex={0}
      aria-label={peak ? `${says} ${t("arena.peak")}` : says}
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
      <text x={x} y={highest - 8} text-anchor="middle">
        {peak ? `${number} · ${t("arena.peak")}` : number}
      </text>
      <rect class="arena-hit" x={x - 14} y={0} width={28} height={HEIGHT - MARGINS.bottom} />
    </g>
  );
}

function Legend() {
  return (
    <p class="arena-legend">
      <span>
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path class="rate-bar" d="M8 1V15M5 1h6M5 15h6" />
          <circle class="rate-dot" cx="8" cy="8" r="4" />
        </svg>
        {t("arena.axis_win")}
      </span>
      <span>
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path class="proxy-line" d="M0 8H16" />
          <path class="proxy-dot" d="M8 4l4 4l-4 4l-4 -4Z" />
        </svg>
        {t("arena.axis_proxy")}
      </span>
    </p>
  );
}
