import { useMemo } from "preact/hooks";
import { post } from "../../api/client";
import type { Resource } from "../../api/resource";
import type { GuidelinesVersion, Results } from "../../api/types";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { ErrorNotice } from "../../parts/Notice";
import { Loaded } from "../../parts/States";
import { useAction } from "../../parts/useAction";
import { Markdown } from "../../render/Markdown";
import { wordDiff } from "../../render/wordDiff";

interface Props {
  slug: string;
  versions: Resource<Results<GuidelinesVersion>>;
  /** The key that opens and closes it. */
  hint: string | undefined;
  onClose: () => void;
}

/** Beside the work: what to look for, and whether one has read it. */
export function GuidelinesPanel({ slug, versions, hint, onClose }: Props) {
  const acknowledge = useAction(async (version: number) => {
    await post(`projects/${slug}/guidelines/acknowledge/`, { version });
    await versions.reload();
    onClose();
  });
  return (
    <aside class="guidelines" aria-label={t("label.guidelines_title")}>
      <header class="guidelines-head">
        <h2>{t("label.guidelines_title")}</h2>
        <Button kind="quiet" hint={hint} onClick={onClose}>
          {t("common.close")}
        </Button>
      </header>
      <Loaded resource={versions}>
        {({ results: [newest, ...older] }) =>
          newest ? (
            <>
              <Changes newest={newest} before={older.find(({ acknowledged }) => acknowledged)} />
              <Markdown kind="document" text={newest.text} />
              <p class="quiet">
                {t("label.guidelines_version", { version: newest.version })}
                {newest.acknowledged && ` ${t("label.acknowledged")}`}
              </p>
              {!newest.acknowledged && (
                <Button
                  kind="primary"
                  busy={acknowledge.busy}
                  onClick={() => acknowledge.run(newest.version)}
                >
                  {t("label.acknowledge")}
                </Button>
              )}
              <ErrorNotice error={acknowledge.error} />
            </>
          ) : (
            <p class="quiet">{t("label.no_guidelines")}</p>
          )
        }
      </Loaded>
    </aside>
  );
}

interface ChangesProps {
  newest: GuidelinesVersion;
  /** The version that was read last. */
  before: GuidelinesVersion | undefined;
}

/** What is new since the labeler read them last, before the whole text. */
function Changes({ newest, before }: ChangesProps) {
  const changes = useMemo(
    () => (before && !newest.acknowledged ? wordDiff(before.text, newest.text) : null),
    [newest, before],
  );
  if (!before || newest.acknowledged) return null;
  return (
    <details class="guidelines-changes" open>
      <summary>{t("label.guidelines_changed", { version: before.version })}</summary>
      {changes ? (
        <p class="as-written" dir="auto">
          {changes.map(({ what, text }, place) => {
            if (what === "added") return <ins key={place}>{text}</ins>;
            if (what === "removed") return <del key={place}>{text}</del>;
            return <Unchanged key={place} text={text} />;
          })}
        </p>
      ) : (
        <p class="quiet">{t("label.guidelines_rewritten")}</p>
      )}
    </details>
  );
}

/** Of what stayed, as much as tells where one is. */
function Unchanged({ text }: { text: string }) {
  if (text.length <= 2 * AROUND) return <>{text}</>;
  return (
    <>
      {text.slice(0, AROUND)}
      <span class="quiet"> … </span>
      {text.slice(-AROUND)}
    </>
  );
}

const AROUND = 60;
