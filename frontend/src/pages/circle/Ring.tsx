import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { Circle } from "../../api/models";
import type { Role } from "../../api/types";
import { t } from "../../i18n";
import { Progress } from "../runs/Progress";
import { GateLabel, type NodeWords, nodesOf, WinRateLabel } from "./nodes";
import { type Arc, type Box, lyingRing, PLACES, type Place, standingRing } from "./ring";
import { deeds, mainDeed, waitsForPerson } from "./state";

interface Props {
  circle: Circle;
  role: Role;
  /** The KL of the fine-tuning at work, once it is measured. */
  kl: number | null;
  /** What stands in the middle. */
  children: ComponentChildren;
}

/** The circle, drawn: nodes are links that the page lays out, and the line follows them. */
export function Ring({ circle, role, kl, children }: Props) {
  const ring = useRef<HTMLElement>(null);
  const [drawing, setDrawing] = useState<Drawing | null>(null);
  const waits = waitsForPerson(circle);
  const nodes = nodesOf(circle, kl);
  const mine = deeds(circle, role)[0] === mainDeed(circle);

  useLayoutEffect(() => {
    const element = ring.current;
    if (!element) return;
    const measure = () => setDrawing(draw(element));
    const observer = new ResizeObserver(measure);
    for (const part of [element, ...element.querySelectorAll("[data-place]")])
      observer.observe(part);
    return () => observer.disconnect();
  }, []);

  const goesInto = (place: Place) => nodes[place].progress !== undefined;
  return (
    <section
      class={circle.waits_for === "alarm" ? "ring alarmed" : "ring"}
      ref={ring}
      aria-label={t("circle.ring")}
    >
      {drawing && (
        <svg class="ring-line" width={drawing.width} height={drawing.height} aria-hidden="true">
          {drawing.arcs.map(({ from, to, path, tip }) => (
            <g key={from} class={goesInto(to) ? "flows" : undefined}>
              <path d={path} />
              <path
                class="ring-tip"
                d="M0 0L-8 -4.5L-8 4.5Z"
                transform={`translate(${tip.x} ${tip.y}) rotate(${tip.angle})`}
              />
            </g>
          ))}
        </svg>
      )}
      <div class="ring-centre">{children}</div>
      <ol class="ring-nodes">
        {PLACES.map((place) => (
          <li key={place} class={`ring-place ${place}`} data-place={place}>
            <Node
              words={nodes[place]}
              place={place}
              waits={waits === place ? t(mine ? "circle.your_turn" : "circle.waits") : ""}
            />
          </li>
        ))}
      </ol>
      <GateLabel circle={circle} />
      <WinRateLabel circle={circle} />
    </section>
  );
}

interface NodeProps {
  words: NodeWords;
  place: Place;
  /** What is said where it waits for a person; empty where it does not. */
  waits: string;
}

function Node({ words, place, waits }: NodeProps) {
  const { href, main, figure, lines = [], progress, there } = words;
  const look = [waits && "waits", !there && "missing", progress !== undefined && "works"];
  return (
    <Link href={href} class={["node", ...look].filter(Boolean).join(" ")}>
      <span class="node-kind">
        {t(`circle.place.${place}`)}
        {waits && <span class="node-waits">{waits}</span>}
      </span>
      <strong class="node-main">{main}</strong>
      {figure}
      {lines.filter(Boolean).map((line) => (
        <span key={line} class="node-line">
          {line}
        </span>
      ))}
      {progress !== undefined && <Progress share={progress} />}
    </Link>
  );
}

interface Drawing {
  width: number;
  height: number;
  arcs: Arc[];
}

/** The line through the nodes as they lie now. */
function draw(ring: HTMLElement): Drawing | null {
  const outer = ring.getBoundingClientRect();
  const boxOf = (element: Element): Box => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return { x: left - outer.left, y: top - outer.top, width, height };
  };
  const boxes = {} as Record<Place, Box>;
  for (const place of PLACES) {
    const element = ring.querySelector(`[data-place="${place}"]`);
    if (!element) return null;
    boxes[place] = boxOf(element);
  }
  const middle = (selector: string) => {
    const label = ring.querySelector(selector);
    const { x, y, width, height } = boxOf(label ?? ring);
    return { x: x + width / 2, y: y + height / 2 };
  };
  const winRate = middle(".ring-win-rate");
  const lies = boxes.batch.y < boxes.labels.y + boxes.labels.height;
  return {
    width: outer.width,
    height: outer.height,
    arcs: lies
      ? lyingRing(boxes, winRate.x, middle(".ring-gate").x)
      : standingRing(boxes, 8, winRate.y),
  };
}
