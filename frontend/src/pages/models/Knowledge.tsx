import { decimal, percentage } from "../../charts/figures";
import { PointChart } from "../../charts/PointChart";
import { integer } from "../../format";
import { t, tIn } from "../../i18n";
import { Interval } from "../../parts/Interval";
import { type Column, Table } from "../../parts/Table";
import {
  curvePoints,
  expectation,
  type Knowledge as Known,
  type LearningCurve,
  type Share,
  share,
  shares,
  trendWords,
} from "./knowledge";
import "./knowledge.css";

interface Props {
  knowledge: Known;
  curve: LearningCurve | null;
}

/** What a reward model knows, on comparisons that it did not see. */
export function Knowledge({ knowledge, curve }: Props) {
  const { calibration, strength, length } = knowledge;
  return (
    <section class="knowledge">
      <h2>{t("knowledge.title")}</h2>
      <p class="quiet">{t(`knowledge.source.${knowledge.source}`)}</p>
      <div class="knowledge-charts">
        {calibration ? (
          <Reliability calibration={calibration} />
        ) : (
          <Missing title={t("knowledge.reliability.title")} />
        )}
        {strength ? (
          <ByStrength strength={strength} />
        ) : (
          <Missing title={t("knowledge.strength.title")} words={t("knowledge.strength.none")} />
        )}
        {curve && curve.points.length > 1 ? (
          <Curve curve={curve} />
        ) : (
          <Missing title={t("knowledge.curve.title")} words={t("knowledge.curve.none")} />
        )}
      </div>
      {length.length > 0 && <ByLength parts={length} />}
      <Groups knowledge={knowledge} />
    </section>
  );
}

function Missing({ title, words }: { title: string; words?: string }) {
  return (
    <div class="knowledge-missing">
      <h3>{title}</h3>
      <p class="quiet">{words ?? t("knowledge.few")}</p>
    </div>
  );
}

function Reliability({ calibration }: { calibration: NonNullable<Known["calibration"]> }) {
  const { scaled, temperature, bins } = calibration;
  const points = bins.map(({ confidence, right, low, high }) => ({
    x: confidence,
    value: right,
    low,
    high,
  }));
  const words = (of: typeof scaled) => ({
    error: percentage(of.error, 1),
    perfect: percentage(of.perfect, 1),
    high: percentage(of.perfect_high, 1),
    nll: decimal(of.nll),
  });
  return (
    <div>
      <PointChart
        title={t("knowledge.reliability.title")}
        axis={t("knowledge.reliability.axis")}
        summary={t("knowledge.reliability.summary", words(calibration))}
        points={points}
        x={[0.5, 1]}
        y={shares(points)}
        line={{ from: [0.5, 0.5], to: [1, 1], label: "" }}
      />
      <p>{t("knowledge.reliability.error", words(calibration))}</p>
      <p class="quiet">
        {t("knowledge.reliability.scaled", {
          ...words(scaled),
          temperature: decimal(temperature),
        })}
      </p>
    </div>
  );
}

function ByStrength({ strength }: { strength: NonNullable<Known["strength"]> }) {
  const { levels, rows, trend } = strength;
  const points = rows.map((row) => ({ x: Number(row.name), ...share(row) }));
  return (
    <div>
      <PointChart
        title={t("knowledge.strength.title")}
        axis={t("knowledge.strength.axis")}
        summary={trendWords(trend)}
        points={points}
        x={[0.5, levels + 0.5]}
        y={shares(points)}
        marks={rows.map(({ name, n }) => ({
          x: Number(name),
          label: t("knowledge.strength.mark", { name, n: integer(n) }),
        }))}
        line={{ from: [0.5, 0.5], to: [levels + 0.5, 0.5], label: t("knowledge.coin") }}
      />
      <p>{trendWords(trend)}</p>
    </div>
  );
}

function Curve({ curve }: { curve: LearningCurve }) {
  const points = curvePoints(curve);
  const most = Math.max(...points.map(({ x }) => x));
  const marks = points.map(({ x }) => ({ x, label: integer(x) }));
  return (
    <div>
      <PointChart
        title={t("knowledge.curve.title")}
        axis={t("knowledge.curve.axis")}
        summary={expectation(curve)}
        points={points}
        x={[0, most * 1.06]}
        y={shares(points)}
        marks={marks.filter(({ x }, i) => i === 0 || x - (marks[i - 1]?.x ?? 0) > most * 0.12)}
        line={{ from: [0, 0.5], to: [most * 1.06, 0.5], label: t("knowledge.coin") }}
        joined
      />
      <p>{expectation(curve)}</p>
    </div>
  );
}

function ByLength({ parts }: { parts: Known["length"] }) {
  const columns: Column<Known["length"][number]>[] = [
    {
      head: t("knowledge.length.apart"),
      cell: ({ from, to }) => t("knowledge.length.range", { from: integer(from), to: integer(to) }),
    },
    { head: t("knowledge.accuracy"), cell: (part) => <Interval figure={share(part)} /> },
    {
      head: t("knowledge.length.longer"),
      cell: ({ n, longer }) => <Interval figure={share({ n, ...longer })} />,
    },
  ];
  return (
    <div>
      <h3>{t("knowledge.length.title")}</h3>
      <Table
        caption={t("knowledge.length.title")}
        columns={columns}
        rows={parts}
        rowKey={({ from, to }) => `${from} ${to}`}
      />
    </div>
  );
}

interface Group extends Share {
  key: string;
  name: string;
}

/** By who labelled, who wrote, and why it was asked. */
function Groups({ knowledge: { labelers, sources, kinds } }: { knowledge: Known }) {
  const rows: Group[] = [
    ...labelers.map((row) => ({
      ...row,
      key: "labelers",
      name: tIn("knowledge.labelers", row.name),
    })),
    ...sources.map((row) => ({
      ...row,
      key: "sources",
      name: t("knowledge.written_by", { name: row.name }),
    })),
    ...kinds.map((row) => ({ ...row, key: "kinds", name: tIn("knowledge.kinds", row.name) })),
  ];
  return (
    <div>
      <h3>{t("knowledge.groups")}</h3>
      <Table
        caption={t("knowledge.groups")}
        columns={[
          { head: t("knowledge.group"), cell: ({ name }: Group) => name },
          { head: t("knowledge.accuracy"), cell: (row: Group) => <Interval figure={share(row)} /> },
        ]}
        rows={rows}
        rowKey={({ key, name }) => `${key} ${name}`}
      />
    </div>
  );
}
