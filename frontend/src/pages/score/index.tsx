import { useState } from "preact/hooks";
import { Link, useParams } from "wouter-preact";
import { post } from "../../api/client";
import type { Scored, Scoring, VersionDetail } from "../../api/models";
import { useResource } from "../../api/resource";
import { decimal, percentage, signed } from "../../charts/figures";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Field } from "../../parts/Field";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { useTitle } from "../../parts/Shell";
import { Loaded } from "../../parts/States";
import { useAction } from "../../parts/useAction";
import { versionName } from "../models/words";
import "./score.css";

const EVERY_SECONDS = 0.5;
const [FEWEST, MOST] = [1, 16];

/** Paste a prompt and responses, see what a reward model makes of them. */
export default function ScorePage() {
  const { id = "" } = useParams();
  const model = useResource<VersionDetail>(`models/${id}/`);
  useTitle(t("score.title"));
  return (
    <div class="page score-page">
      <Loaded resource={model}>
        {(version) => (
          <>
            <header class="page-head">
              <h1>{t("score.title")}</h1>
              <Link href={`/models/${id}`}>{versionName(version)}</Link>
            </header>
            <Scorer id={id} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function Scorer({ id }: { id: string }) {
  const [prompt, setPrompt] = useState("");
  const [responses, setResponses] = useState(["", ""]);
  const [asked, setAsked] = useState<Scoring | null>(null);
  const waits = asked?.state === "waiting";
  const found = useResource<Scoring>(waits ? `scorings/${asked.id}/` : null, EVERY_SECONDS);
  if (found.data && found.data.state !== "waiting" && waits) setAsked(found.data);
  const ask = useAction(async () => {
    const filled = responses.filter((text) => text !== "");
    setAsked(await post<Scoring>(`models/${id}/scorings/`, { prompt, responses: filled }));
  });
  const change = (place: number, text: string) =>
    setResponses(responses.map((old, i) => (i === place ? text : old)));

  return (
    <>
      <form
        class="form score-form"
        onSubmit={(event) => {
          event.preventDefault();
          ask.run();
        }}
      >
        <Field label={t("score.prompt")} error={ask.errorOf("prompt")}>
          {(control) => (
            <textarea
              {...control}
              rows={3}
              required
              value={prompt}
              onInput={(event) => setPrompt(event.currentTarget.value)}
            />
          )}
        </Field>
        {responses.map((text, place) => (
          <Field key={place} label={t("score.response", { number: place + 1 })}>
            {(control) => (
              <textarea
                {...control}
                rows={4}
                required={place < FEWEST}
                value={text}
                onInput={(event) => change(place, event.currentTarget.value)}
              />
            )}
          </Field>
        ))}
        {!ask.errorOf("prompt") && <ErrorNotice error={ask.error} />}
        <div class="actions">
          <Button type="submit" kind="primary" busy={ask.busy || waits}>
            {t("score.ask")}
          </Button>
          {responses.length < MOST && (
            <Button onClick={() => setResponses([...responses, ""])}>{t("score.another")}</Button>
          )}
        </div>
      </form>
      <div aria-live="polite">
        {waits && <p class="quiet">{t("score.waiting")}</p>}
        {asked?.state === "failed" && <Notice kind="stop">{asked.error}</Notice>}
        {asked?.state === "done" && <Results responses={asked.responses} />}
      </div>
    </>
  );
}

/** The responses, best first. */
function Results({ responses }: { responses: readonly Scored[] }) {
  const ordered = [...responses].sort((a, b) => b.score - a.score);
  return (
    <section class="score-results">
      <h2>{t("score.results")}</h2>
      <p class="quiet">{t("score.about")}</p>
      {ordered.map((response, place) => (
        <Result key={place} response={response} />
      ))}
    </section>
  );
}

function Result({ response }: { response: Scored }) {
  const { text, score, spread, remarks, nearest } = response;
  return (
    <article class="score-result">
      <p class="score-figure">
        <strong>{signed(score)}</strong>{" "}
        <span class="quiet">{t("score.spread", { spread: decimal(spread) })}</span>
      </p>
      <div class="score-text">
        <p class="text">{text}</p>
        {remarks.length > 0 && (
          <p class="quiet">
            {remarks
              .map(({ name, value }) =>
                t("score.remark", {
                  name: name.replace(/^(flag|attribute):/, ""),
                  value: percentage(value, 0),
                }),
              )
              .join(" · ")}
          </p>
        )}
        {nearest.length > 0 && (
          <details>
            <summary>{t("score.nearest")}</summary>
            <ol class="score-nearest">
              {nearest.map((near) => (
                <li key={`${near.prompt} ${near.preferred} ${near.others[0]}`}>
                  <p class="quiet">{t("score.likeness", { likeness: decimal(near.likeness) })}</p>
                  <p class="score-prompt">{near.prompt}</p>
                  {near.preferred !== null && (
                    <p>
                      <span class="tag accent">{t("score.preferred")}</span> {near.preferred}
                    </p>
                  )}
                  {near.others.map((other) => (
                    <p key={other}>
                      <span class="tag">
                        {t(near.preferred === null ? "score.together" : "score.other")}
                      </span>{" "}
                      {other}
                    </p>
                  ))}
                </li>
              ))}
            </ol>
          </details>
        )}
      </div>
    </article>
  );
}
