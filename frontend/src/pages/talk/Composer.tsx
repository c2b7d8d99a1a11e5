import { t } from "../../i18n";
import { hintFor } from "../../keymap/keymap";
import { Button } from "../../parts/Button";
import { ErrorNotice } from "../../parts/Notice";
import type { Action } from "../../parts/useAction";
import type { Talking } from "../../session/talking";
import { TALK_KEYS } from "./keys";

interface Props {
  talking: Talking;
  say: Action<[]>;
  /** Whether the talk goes on with what is typed; one can always write ahead. */
  ready: boolean;
}

/** Where one writes; Enter sends, with shift it breaks the line. */
export function Composer({ talking, say, ready }: Props) {
  const sendable = ready && talking.text.value.trim() !== "";
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        if (sendable) say.run();
      }}
    >
      <ErrorNotice error={say.error} />
      <textarea
        rows={1}
        aria-label={t("talk.message")}
        aria-keyshortcuts={hintFor(TALK_KEYS, "write")}
        placeholder={ready ? t("talk.message_hint") : t("talk.message_wait")}
        maxLength={20000}
        value={talking.text.value}
        onInput={(event) => talking.type(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          if (sendable) say.run();
        }}
      />
      <Button type="submit" kind="primary" hint="↵" busy={say.busy} disabled={!sendable}>
        {t("talk.send")}
      </Button>
    </form>
  );
}
