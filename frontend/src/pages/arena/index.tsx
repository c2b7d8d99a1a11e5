import { useState } from "preact/hooks";
import { Link, useParams } from "wouter-preact";
import type { Arena, ArenaPoint, Version } from "../../api/models";
import { useResource } from "../../api/resource";
import type { Results, Role } from "../../api/types";
import { decimal, rateOf, signed } from "../../charts/figures";
import { integer } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Interval } from "../../parts/Interval";
import { Notice } from "../../parts/Notice";
import { useTitle } from "../../parts/Shell";
import { Empty, Loaded } from "../../parts/States";
import { type Column, Table } from "../../parts/Table";
import { useProject } from "../../project";
import { Promote } from "../models/Promote";
import { nameOf } from "../models/words";
import "../models/models.css";
import { ArenaChart } from "./ArenaChart";
import "./arena.css";
import { measured, peak } from "./chart";
import { Meeting } from "./Meeting";

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
  const best = peak(arena.points);
  const [picked, setPicked] = useState<number | null>(null);
  const chosen =
    arena.points.find(({ version }) => version.id === picked) ?? best ?? arena.points.at(-1);
  const missing = arena.points.filter(({ kl }) => kl === null);
  return (
    <>
      <div class="arena-columns">
        <section class="arena-main">
          <h2>{t("arena.chart")}</h2>
          <p class="quiet">{t("arena.chart_help")}</p>
          {measured(arena.points).length > 0 && (
            <ArenaChart
              points={arena.points}
              peak={best?.version.id ?? null}
              chosen={chosen?.version.id ?? null}
              choose={setPicked}
            />
          )}
          {missing.length > 0 && (
            <p class="quiet">
              {t("arena.unmeasured", {
                count: missing.length,
                names: missing.map(({ version }) => nameOf("policy", version.number)).join(", "),
              })}
            </p>
          )}
        </section>
        {chosen && (
          <aside class="arena-side">
            <Chosen point={chosen} />
            {best && role === "manager" && <PromotePeak slug={slug} best={best} reload={reload} />}
            <Meeting key={chosen.version.id} slug={slug} point={chosen} />
          </aside>
        )}
      </div>
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

type Match = Arena["matches"][number];

const count = (head: string, of: (match: Match) => number): Column<Match> => ({
  head,
  number: true,
  cell: (match) => integer(of(match)),
});
const COLUMNS: Column<Match>[] = [
  {
    head: t("arena.policy"),
    cell: ({ policy }) => (
      <Link href={`/models/${policy.id}`}>{nameOf("policy", policy.number)}</Link>
    ),
  },
  {
    head: t("arena.opponent"),
    cell: ({ opponent }) => (
      <Link href={`/models/${opponent.id}`}>{nameOf("policy", opponent.number)}</Link>
    ),
  },
  { head: t("arena.win_rate"), cell: (match) => <Interval figure={rateOf(match)} /> },
  count(t("arena.wins_head"), ({ wins }) => wins),
  count(t("arena.losses_head"), ({ losses }) => losses),
  count(t("arena.ties_head"), ({ ties }) => ties),
  count(t("arena.identical_head"), ({ identical }) => identical),
  count(t("arena.open_head"), ({ open }) => open),
];

/** The point under the cursor. */
function Chosen({ point: { version, kl, proxy, win_rate } }: { point: ArenaPoint }) {
  return (
    <>
      <h2>
        <Link href={`/models/${version.id}`}>{nameOf("policy", version.number)}</Link>
      </h2>
      <dl class="facts">
        <div>
          <dt>{t("arena.win_rate")}</dt>
          <dd>
            <Interval figure={rateOf(win_rate)} />
          </dd>
        </div>
        <div>
          <dt>{t("arena.kl_head")}</dt>
          <dd>{kl === null ? t("arena.not_measured") : decimal(kl)}</dd>
        </div>
        <div>
          <dt>{t("arena.proxy_head")}</dt>
          <dd>{proxy === null ? t("arena.not_measured") : signed(proxy)}</dd>
        </div>
      </dl>
    </>
  );
}

interface PromoteProps {
  slug: string;
  best: ArenaPoint;
  reload: () => Promise<void>;
}

/** The one button: promote what people prefer most, unless it serves already. */
function PromotePeak({ slug, best: { version, win_rate }, reload }: PromoteProps) {
  const models = useResource<Results<Version>>(`projects/${slug}/models/`);
  const [asking, setAsking] = useState(false);
  const stage = models.data?.results.find(({ id }) => id === version.id)?.stage;
  if (!stage) return null;
  if (stage === "promoted") {
    return <p class="quiet">{t("arena.peak_serves", { number: version.number })}</p>;
  }
  return (
    <>
      <Button kind="primary" onClick={() => setAsking(true)}>
        {t("arena.promote", { number: version.number })}
      </Button>
      {asking && (
        <Promote
          version={{
            ...version,
            kind: "policy",
            standing: win_rate,
            accuracy: null,
          }}
          onClose={() => setAsking(false)}
          onPromoted={() => {
            setAsking(false);
            reload();
            models.reload();
          }}
        />
      )}
    </>
  );
}
