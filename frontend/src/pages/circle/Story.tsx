import { Link } from "wouter-preact";
import type { Decision } from "../../api/models";
import { dateTime, relative } from "../../format";
import { t, tIn } from "../../i18n";
import { chapters, mood } from "./story";
import "./story.css";

/** What was decided, newest first: each line with its reason, its run and its model. */
export function Story({ story }: { story: readonly Decision[] }) {
  if (story.length === 0) {
    return <p class="quiet">{t("story.empty")}</p>;
  }
  return (
    <>
      {chapters(story).map(({ round, lines }) => (
        <section key={round} class="story" id={`round-${round ?? 0}`}>
          <h2>{round === null ? t("story.before") : t("story.round", { number: round })}</h2>
          <Decisions lines={lines} />
        </section>
      ))}
    </>
  );
}

export function Decisions({ lines }: { lines: readonly Decision[] }) {
  return (
    <ol class="story-lines">
      {lines.map((line) => (
        <li key={line.id} class="story-line">
          <span class={`story-what ${mood(line.what)}`}>{tIn("story.what", line.what)}</span>
          <p class="story-reason">{line.reason}</p>
          <p class="story-about">
            <time dateTime={line.created_at} title={dateTime(line.created_at)}>
              {relative(line.created_at)}
            </time>
            <span>{line.actor ? t("story.by", { name: line.actor }) : t("story.by_loop")}</span>
            {line.run !== null && (
              <Link href={`/runs/${line.run}`}>{t("story.run", { id: line.run })}</Link>
            )}
            {line.version !== null && (
              <Link href={`/models/${line.version}`}>{t("story.model")}</Link>
            )}
          </p>
        </li>
      ))}
    </ol>
  );
}
