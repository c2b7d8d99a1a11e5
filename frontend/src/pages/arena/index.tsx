import { useState } from "preact/hooks";
import { Link, useParams } from "wouter-preact";
import type { Arena, ArenaCurve, ArenaPoint } from "../../api/models";
import { useResource } from "../../api/resource";
import type { Role } from "../../api/types";
import { rateOf } from "../../charts/figures";
import { integer } from "../../format";
import { t } from "../../i18n";
import { Interval } from "../../parts/Interval";
import { Notice } from "../../parts/Notice";
import { useTitle } from "../../parts/Shell";
import { Empty, Loaded } from "../../parts/States";
import { type Column, Table } from "../../parts/Table";
import { useProject } from "../../project";
import { nameOf } from "../models/words";
import "../models/models.css";
import { ArenaChart } from "./ArenaChart";
import "./arena.css";
import { Chosen } from "./Chosen";
import { measured } from "./chart";
import { Exploits } from "./Exploits";
import { Meeting } from "./Meeting";
import { PromotePeak } from "./PromotePeak";

const EVERY_SECONDS = 5;

export default function ArenaPage() {
  const { slug = "" } = useParams();
  const project = useProject(slug)?.data;
  const arena = useResource<Arena>(`projects/${slug}/arena/`, EVERY_SECONDS);
  useTitle(t("nav.arena"), project?.name);
  return (
    <div class="page arena">
      <h1>{t("nav.arena")}</h1>
      {project?.simulated && <Notice>{t("circle.simulated")}</Notice>}
      <Loaded resource={arena}>
        {(data) =>
          data.points.length === 0 ? (
            <Empty title={t("arena.none")}>
              <p class="quiet">{t("arena.none_help")}</p>
            </Empty>
          ) : (
            <Standings
              key={slug}
              slug={slug}
              arena={data}
              role={project?.role}
              reload={arena.reload}
            />
          )
        }
      </Loaded>
    </div>
  );
}

interface Props {
  slug: string;
  arena: Arena;
  role: Role | undefined;
  reload: () => Promise<void>;
}

function Standings({ slug, arena, role, reload }: Props) {
  const [run, setRun] = useState<number | null>(null);
  const [picked, setPicked] = useState<number | null>(null);
  const curve = arena.curves.find((other) => other.run === run) ?? arena.curves.at(-1) ?? null;
  const points = curve ? arena.points.filter((point) => point.run === curve.run) : arena.points;
  const chosen =
    points.find(({ version }) => version.id === picked) ??
    points.find(({ version }) => version.id === curve?.leads?.id) ??
    points.at(-1);
  return (
    <>
      <div class="arena-columns">
        <section class="arena-main">
          <h2>{t("arena.chart")}</h2>
          <p class="quiet">{t("arena.chart_help")}</p>
          {arena.curves.length > 1 && curve && (
            <RunPicker curves={arena.curves} shown={curve} show={setRun} />
          )}
          {(measured(points).length > 0 || curve?.steps.length) && (
            <ArenaChart
              points={points}
              curve={curve}
              chosen={chosen?.version.id ?? null}
              choose={setPicked}
            />
          )}
          <Remarks curve={curve} points={points} />
        </section>
        {chosen && (
          <aside class="arena-side">
            <Chosen point={chosen} />
            {curve?.leads && role === "manager" && isPreferred(arena, curve.leads.id) && (
              <PromotePeak
                key={curve.leads.id}
                slug={slug}
                peak={curve.leads}
                standing={standingOf(arena, curve.leads.id)}
                reload={reload}
              />
            )}
            <Meeting key={chosen.version.id} point={chosen} />
          </aside>
        )}
      </div>
      <Exploits exploits={arena.exploits} />
      <section>
        <h2>{t("arena.matches")}</h2>
        {arena.matches.length === 0 ? (
          <p class="quiet">{t("arena.none_help")}</p>
        ) : (
          <Table
            caption={t("arena.matches")}
            columns={COLUMNS}
            rows={arena.matches}
            rowKey={({ policy, opponent }) => `${policy.id} ${opponent.id}`}
          />
        )}
      </section>
    </>
  );
}

/** Whether more answers speak for it than against it. */
function isPreferred(arena: Arena, version: number): boolean {
  return (standingOf(arena, version)?.value ?? 0) > 0.5;
}

/** The figure to promote on: what was asked afresh, where that is there. */
function standingOf({ points }: Arena, version: number) {
  const point = points.find((other) => other.version.id === version);
  return point?.verdict?.n ? point.verdict : (point?.win_rate ?? null);
}

interface PickerProps {
  curves: readonly ArenaCurve[];
  shown: ArenaCurve;
  show: (run: number) => void;
}

function RunPicker({ curves, shown, show }: PickerProps) {
  return (
    <label class="arena-picker">
      <span>{t("arena.of_run")}</span>
      <select value={shown.run} onChange={(event) => show(Number(event.currentTarget.value))}>
        {curves.map(({ run, policy }) => (
          <option key={run} value={run}>
            {nameOf("policy", policy)} · {t("story.run", { id: run })}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What the chart cannot draw: whether its peak is to be believed, and what is not measured yet. */
function Remarks({ curve, points }: { curve: ArenaCurve | null; points: readonly ArenaPoint[] }) {
  const missing = points.filter(({ kl }) => kl === null);
  const peak = curve?.leads && {
    name: nameOf("policy", curve.leads),
  };
  return (
    <>
      {peak && (
        <p>{t(curve.confirmed ? "arena.peak_confirmed" : "arena.peak_unconfirmed", peak)}</p>
      )}
      {curve?.stop && (
        <p>
          {t("arena.stop")}: {curve.stop.sentence}
        </p>
      )}
      {missing.length > 0 && (
        <p class="quiet">
          {t("arena.unmeasured", {
            count: missing.length,
            names: missing.map(({ version }) => nameOf("policy", version)).join(", "),
          })}
        </p>
      )}
      <p class="quiet">{t("arena.interval_help")}</p>
    </>
  );
}

type Match = Arena["matches"][number];

const count = (head: string, of: (match: Match) => number): Column<Match> => ({
  head,
  number: true,
  cell: (match) => integer(of(match)),
});
const policyIn = (head: string, of: (match: Match) => Match["policy"]): Column<Match> => ({
  head,
  cell: (match) => <Link href={`/models/${of(match).id}`}>{nameOf("policy", of(match))}</Link>,
});
const COLUMNS: Column<Match>[] = [
  policyIn(t("arena.policy"), ({ policy }) => policy),
  policyIn(t("arena.opponent"), ({ opponent }) => opponent),
  { head: t("arena.win_rate"), cell: (match) => <Interval figure={rateOf(match)} /> },
  count(t("arena.wins_head"), ({ wins }) => wins),
  count(t("arena.losses_head"), ({ losses }) => losses),
  count(t("arena.ties_head"), ({ ties }) => ties),
  count(t("arena.identical_head"), ({ identical }) => identical),
  count(t("arena.open_head"), ({ open }) => open),
];
