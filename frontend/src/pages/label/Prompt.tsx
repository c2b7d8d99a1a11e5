import type { Message } from "../../api/types";
import { t } from "../../i18n";
import { hintFor, type Keymap } from "../../keymap/keymap";
import { modality } from "../../modalities";
import { Button } from "../../parts/Button";
import type { LabelAction } from "./keys";

interface Props {
  messages: Message[];
  modality: string;
  keymap: Keymap<LabelAction>;
  act: (action: LabelAction) => void;
  collapsed: boolean;
  plain: boolean;
  comparing: boolean;
  guidelines: boolean;
}

export function Prompt(props: Props) {
  const { messages, keymap, act, collapsed, plain, comparing, guidelines, ...rest } = props;
  const Messages = modality(rest.modality);
  return (
    <section class={collapsed ? "prompt collapsed" : "prompt"} aria-label={t("label.prompt")}>
      <header class="prompt-head">
        <h2>{t("label.prompt")}</h2>
        <div class="prompt-actions">
          <Button
            kind="quiet"
            hint={hintFor(keymap, "guidelines")}
            aria-pressed={guidelines}
            onClick={() => act("guidelines")}
          >
            {t("label.guidelines")}
          </Button>
          <Button
            kind="quiet"
            hint={hintFor(keymap, "plain")}
            aria-pressed={plain}
            onClick={() => act("plain")}
          >
            {t("label.plain")}
          </Button>
          {hintFor(keymap, "compare") && (
            <Button
              kind="quiet"
              hint={hintFor(keymap, "compare")}
              aria-pressed={comparing}
              onClick={() => act("compare")}
            >
              {t("label.compare")}
            </Button>
          )}
          <Button
            kind="quiet"
            hint={hintFor(keymap, "collapse")}
            aria-expanded={!collapsed}
            onClick={() => act("collapse")}
          >
            {collapsed ? t("label.uncollapse") : t("label.collapse")}
          </Button>
        </div>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reachable by keyboard. */}
      <div class="prompt-scroll" tabIndex={0}>
        <Messages messages={messages} plain={plain} />
      </div>
    </section>
  );
}
