import { useMemo } from "preact/hooks";
import { t } from "../../i18n";
import type { Binding, Keymap } from "../../keymap/keymap";
import { useKeymap } from "../../keymap/useKeymap";
import { Button } from "../../parts/Button";
import { letter } from "../../responses/forms";
import type { Spans } from "./useSpans";

type Action =
  | "next_word"
  | "previous_word"
  | "next_line"
  | "previous_line"
  | "longer"
  | "shorter"
  | "next_response"
  | "close"
  | `mark:${number}`;

/** About as many words as stand on a line. */
const LINE = 10;

/** What the picked words are to be marked as; its keys stand before those that answer. */
export function SpanBar({ spans, categories }: { spans: Spans; categories: string[] }) {
  const keymap = useMemo(() => keysFor(categories), [categories]);
  useKeymap(keymap, (action) => {
    switch (action) {
      case "next_word":
        return spans.move(1);
      case "previous_word":
        return spans.move(-1);
      case "next_line":
        return spans.move(LINE);
      case "previous_line":
        return spans.move(-LINE);
      case "longer":
        return spans.extend(1);
      case "shorter":
        return spans.extend(-1);
      case "next_response":
        return spans.begin();
      case "close":
        return spans.close();
      default:
        return spans.mark(categories[Number(action.slice("mark:".length))] as string);
    }
  });
  return (
    // A press on the bar leaves what is selected selected.
    <div
      class="span-bar"
      role="group"
      aria-label={t("spans.title")}
      onPointerDown={(event) => event.preventDefault()}
    >
      <output class="span-quote">
        <strong>{letter(spans.picking?.position ?? 0)}</strong> “{spans.quote}”
      </output>
      <span class="span-choices">
        {categories.map((category, place) => (
          <Button key={category} hint={String(place + 1)} onClick={() => spans.mark(category)}>
            {category}
          </Button>
        ))}
        <Button kind="quiet" hint="esc" onClick={spans.close}>
          {t("common.cancel")}
        </Button>
      </span>
    </div>
  );
}

function keysFor(categories: string[]): Keymap<Action> {
  const group = t("spans.title");
  const key = (action: Exclude<Action, `mark:${number}`>, name: string): Binding<Action> => ({
    action,
    keys: [name],
    label: t(`spans.${action}`),
    group,
  });
  return [
    ...categories.map(
      (category, place): Binding<Action> => ({
        action: `mark:${place}`,
        keys: [String(place + 1)],
        label: t("spans.mark", { category }),
        group,
      }),
    ),
    key("next_word", "ArrowRight"),
    key("previous_word", "ArrowLeft"),
    key("next_line", "ArrowDown"),
    key("previous_line", "ArrowUp"),
    key("longer", "shift+ArrowRight"),
    key("shorter", "shift+ArrowLeft"),
    key("next_response", "s"),
    key("close", "Escape"),
  ];
}
