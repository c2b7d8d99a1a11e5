import { useMemo } from "preact/hooks";
import { t } from "../i18n";
import { Markdown } from "./Markdown";
import { wordDiff } from "./wordDiff";

/** A text as written, with the words marked that `other` does not have at that place. */
export function Compared({ text, other }: { text: string; other: string }) {
  const changes = useMemo(() => wordDiff(other, text), [text, other]);
  if (!changes) {
    return (
      <>
        <p class="quiet">{t("label.compare_too_much")}</p>
        <Markdown text={text} plain />
      </>
    );
  }
  return (
    <div class="prose" dir="auto">
      <p class="as-written">
        {changes
          .filter(({ what }) => what !== "removed")
          .map((change, place) =>
            change.what === "added" ? <mark key={place}>{change.text}</mark> : change.text,
          )}
      </p>
    </div>
  );
}
