import { useState } from "preact/hooks";
import { Link, useParams } from "wouter-preact";
import { post } from "../../api/client";
import type { VersionDetail } from "../../api/models";
import { useResource } from "../../api/resource";
import { rateOf } from "../../charts/figures";
import { dateTime } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Interval } from "../../parts/Interval";
import { ErrorNotice } from "../../parts/Notice";
import { useTitle } from "../../parts/Shell";
import { Loaded } from "../../parts/States";
import { useAction } from "../../parts/useAction";
import { useProject } from "../../project";
import { Decisions } from "../circle/Story";
import { Report } from "../runs/Report";
import { Knowledge } from "./Knowledge";
import type { Halves, Knowledge as Knowing, LearningCurve } from "./knowledge";
import { Lineage } from "./Lineage";
import "./models.css";
import { Promote, standingWords } from "./Promote";
import { SecondOpinion } from "./SecondOpinion";
import { StageTag } from "./Stage";
import { versionName } from "./words";

const EVERY_SECONDS = 5;

export default function ModelPage() {
  const { id = "" } = useParams();
  const model = useResource<VersionDetail>(`models/${id}/`, EVERY_SECONDS);
  useTitle(model.data ? versionName(model.data) : t("nav.model"));
  return (
    <div class="page model-page">
      <Loaded resource={model}>{(data) => <Model model={data} set={model.set} />}</Loaded>
    </div>
  );
}

interface Props {
  model: VersionDetail;
  set: (model: VersionDetail) => void;
}

function Model({ model, set }: Props) {
  const role = useProject(model.project)?.data?.role;
  return (
    <>
      <header class="page-head">
        <h1>{versionName(model)}</h1>
        <StageTag stage={model.stage} />
        {model.kind === "reward" && (
          <Link class="button" href={`/models/${model.id}/score`}>
            {t("model.score")}
          </Link>
        )}
        {role === "manager" && <Stewardship model={model} set={set} />}
      </header>
      <div class="model-columns">
        <div class="model-main">
          <Figures model={model} />
          <Known metrics={model.metrics} />
          <SecondOpinion halves={(model.metrics.halves as Halves | undefined) ?? null} />
          {model.run && <Report kind={model.run.kind} report={model.metrics} />}
          <section>
            <h2>{t("model.decisions")}</h2>
            {model.decisions.length > 0 ? (
              <Decisions lines={model.decisions} />
            ) : (
              <p class="quiet">{t("model.no_decisions")}</p>
            )}
          </section>
        </div>
        <aside class="model-side">
          <Lineage
            title={t("model.from")}
            links={model.ancestors}
            empty={t("model.from_nothing")}
          />
          <Lineage title={t("model.to")} links={model.descendants} empty={t("model.to_nothing")} />
          <Hashes model={model} />
        </aside>
      </div>
    </>
  );
}

/** Versions that were trained before the report had it show nothing here. */
function Known({ metrics }: { metrics: Record<string, unknown> }) {
  if (!metrics.knowledge) return null;
  return (
    <Knowledge
      knowledge={metrics.knowledge as Knowing}
      curve={(metrics.curve as LearningCurve | undefined) ?? null}
    />
  );
}

function Stewardship({ model, set }: Props) {
  const [asking, setAsking] = useState(false);
  const archive = useAction(async () => {
    set(await post<VersionDetail>(`models/${model.id}/archive/`));
  });
  const serves = model.stage === "promoted" || model.stage === "provisional";
  const mayArchive = model.stage !== "archived" && !(serves && model.kind === "policy");
  return (
    <div class="actions">
      {!serves && (
        <Button
          kind={model.kind === "policy" && model.stage === "candidate" ? "primary" : "plain"}
          onClick={() => setAsking(true)}
        >
          {t("model.promote")}
        </Button>
      )}
      {mayArchive && (
        <Button busy={archive.busy} onClick={archive.run}>
          {t("model.archive")}
        </Button>
      )}
      <ErrorNotice error={archive.error} />
      {asking && (
        <Promote
          version={{ ...model, standing: model.win_rate }}
          onClose={() => setAsking(false)}
          onPromoted={(promoted) => {
            setAsking(false);
            set(promoted);
          }}
        />
      )}
    </div>
  );
}

/** The one figure that the version is judged by. */
function Figures({ model }: { model: VersionDetail }) {
  return (
    <dl class="facts">
      {model.kind === "reward" && (
        <div>
          <dt>{t("models.accuracy")}</dt>
          <dd>
            <Interval figure={model.accuracy} />
            {model.accuracy && <p class="quiet">{t(`model.source.${model.accuracy.source}`)}</p>}
          </dd>
        </div>
      )}
      {model.kind === "policy" && !model.is_reference && (
        <div>
          <dt>{t("models.win_rate")}</dt>
          <dd>
            <Interval figure={rateOf(model.win_rate)} />
            {model.win_rate && <p class="quiet">{standingWords(model.win_rate)}</p>}
          </dd>
        </div>
      )}
      {model.run && (
        <div>
          <dt>{t("model.made_by")}</dt>
          <dd>
            <Link href={`/runs/${model.run.id}`}>{t("run.name", { id: model.run.id })}</Link>
          </dd>
        </div>
      )}
      <div>
        <dt>{t("models.made")}</dt>
        <dd>{dateTime(model.created_at)}</dd>
      </div>
      <div>
        <dt>{t("models.source")}</dt>
        <dd>
          <code class="source">{model.source}</code>
        </dd>
      </div>
    </dl>
  );
}

/** What proves that weights, data and configuration are those that were used. */
function Hashes({ model: { hashes } }: { model: VersionDetail }) {
  const known = (["weights", "data", "config"] as const).filter((name) => hashes[name]);
  if (known.length === 0) return null;
  return (
    <section>
      <h2>{t("model.hashes")}</h2>
      <dl class="hashes">
        {known.map((name) => (
          <div key={name}>
            <dt>{t(`model.hash.${name}`)}</dt>
            <dd>
              <code class="hash">{hashes[name]}</code>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
