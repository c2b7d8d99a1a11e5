import { useEffect, useState } from "preact/hooks";
import { get } from "../../api/client";
import type { BatchPreference } from "../../api/models";
import type { Message, Results } from "../../api/types";
import { dateTime, relative } from "../../format";
import { t, tIn } from "../../i18n";
import { Button } from "../../parts/Button";
import { ErrorNotice } from "../../parts/Notice";
import { Loading } from "../../parts/States";
import { useAction } from "../../parts/useAction";

/** What people said, newest first, fifty at a time: the prompt, then the responses best first. */
export function Preferences({ batch }: { batch: number }) {
  const [rows, setRows] = useState<BatchPreference[] | null>(null);
  const [next, setNext] = useState<Results<unknown>["next"]>(null);
  const load = useAction(async (before: Results<unknown>["next"]) => {
    const query = before ? `?before=${before}` : "";
    const page = await get<Results<BatchPreference>>(`batches/${batch}/preferences/${query}`);
    setRows((known) => [...(before ? (known ?? []) : []), ...page.results]);
    setNext(page.next ?? null);
  });
  const { run } = load;
  useEffect(() => {
    run(null);
  }, [run]);

  return (
    <section id="preferences" class="preferences">
      <h2>{t("batch.preferences")}</h2>
      {rows === null && !load.error && <Loading />}
      <ol>
        {rows?.map((row) => (
          <li key={row.id}>
            <Preference row={row} />
          </li>
        ))}
      </ol>
      <ErrorNotice error={load.error} />
      {load.error && rows === null && (
        <Button onClick={() => load.run(null)}>{t("common.retry")}</Button>
      )}
      {next && (
        <Button busy={load.busy} onClick={() => load.run(next)}>
          {t("common.more")}
        </Button>
      )}
    </section>
  );
}

function Preference({ row }: { row: BatchPreference }) {
  const about = [
    row.labeler ?? t("batch.imported"),
    row.strength !== null && t("batch.strength", { strength: row.strength }),
    row.guidelines_version !== null && t("batch.guidelines", { version: row.guidelines_version }),
    t(`batch.split.${row.split}`),
  ];
  return (
    <details class="preference">
      <summary>
        <span class="preference-prompt">{row.prompt.at(-1)?.content}</span>
        <span class="tag">{tIn("batch.outcome", row.outcome)}</span>
        <span class="preference-about quiet">
          {about.filter(Boolean).join(" · ")} ·{" "}
          <time dateTime={row.created_at} title={dateTime(row.created_at)}>
            {relative(row.created_at)}
          </time>
        </span>
      </summary>
      <div class="preference-responses">
        {row.responses.map(({ messages, tier }, place) => (
          <section key={place} class="preference-response">
            <h3>{tierWords(row, tier)}</h3>
            <Turns messages={messages} />
          </section>
        ))}
      </div>
    </details>
  );
}

/** Which of the responses it was: where nobody preferred one, they are equals. */
function tierWords({ outcome, responses }: BatchPreference, tier: number): string {
  if (outcome !== "prefer") return tIn("batch.outcome", outcome);
  if (responses.length === 2) return t(tier === 0 ? "batch.preferred" : "batch.other");
  return t("batch.place", { place: tier + 1 });
}

function Turns({ messages }: { messages: Message[] }) {
  return (
    <>
      {messages.map(({ role, content }, place) => (
        <p key={place} class="preference-text">
          {messages.length > 1 && <span class="quiet">{role}: </span>}
          {content}
        </p>
      ))}
    </>
  );
}
