import { useLayoutEffect, useState } from "preact/hooks";
import { session } from "../account";
import { t } from "../i18n";
import { type Binding, type Keymap, keySign, keysOf, nameOf } from "../keymap/keymap";
import { forgetOwnKeys, ownKeys, type Refusal, refusalOf, setOwnKey } from "../keymap/own";
import { activeKeymaps } from "../keymap/useKeymap";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { ErrorNotice } from "./Notice";
import { useAction } from "./useAction";

/** Every key that does something here, read from the keymaps that do it; a click changes one. */
export function HelpOverlay({ onClose }: { onClose: () => void }) {
  const [changing, setChanging] = useState<Binding | null>(null);
  const [refusal, setRefusal] = useState<{ key: string; why: Refusal } | null>(null);
  const store = useAction(setOwnKey);
  const reset = useAction(forgetOwnKeys);
  const groups = groupsOf(activeKeymaps.value);

  const change = (binding: Binding | null) => {
    setChanging(binding);
    setRefusal(null);
  };
  useKeyPress(changing !== null, (event) => {
    if (!changing || event.key === "Escape") return change(null);
    const key = nameOf(event);
    const why = refusalOf(changing.action, key, activeKeymaps.peek());
    if (why) return setRefusal({ key, why });
    store.run(changing.action, changing.keys.includes(key) ? null : key);
    change(null);
  });

  return (
    <Dialog title={t("keys.title")} onClose={onClose} wide>
      <div class="help-groups">
        {[...groups].map(([group, bindings]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl class="help-keys">
              {bindings.map((binding) => (
                <div key={binding.action}>
                  <dt>
                    <Key
                      binding={binding}
                      changing={changing?.action === binding.action}
                      onChange={() => change(binding)}
                    />
                  </dt>
                  <dd>{binding.label}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p class={refusal ? "notice warn" : "quiet"} role="status">
        {refusal
          ? refused(refusal.key, refusal.why)
          : changing
            ? t("keys.press", { what: changing.label })
            : session.value?.user && t("keys.change_about")}
      </p>
      <ErrorNotice error={store.error ?? reset.error} />
      {Object.keys(ownKeys.value).length > 0 && (
        <Button busy={reset.busy} onClick={() => reset.run()}>
          {t("keys.reset")}
        </Button>
      )}
    </Dialog>
  );
}

function Key(props: { binding: Binding; changing: boolean; onChange: () => void }) {
  const { binding, changing, onChange } = props;
  const sign = keysOf(binding).map(keySign).join(" ");
  // Keys are kept for a person; nobody is signed in on the way in.
  if (!session.value?.user) return <kbd class="key">{sign}</kbd>;
  return (
    <button
      type="button"
      class="key-change"
      aria-pressed={changing}
      aria-label={t("keys.change", { what: binding.label, key: sign })}
      onClick={onChange}
    >
      <kbd class="key">{changing ? "…" : sign}</kbd>
    </button>
  );
}

function refused(key: string, refusal: Refusal): string {
  const sign = keySign(key);
  if (refusal.why === "taken") return t("keys.taken", { key: sign, by: refusal.by });
  return t(`keys.refused_${refusal.why}`, { key: sign });
}

/** The next key that is pressed belongs to `take`, and neither to the page nor to the dialog. */
function useKeyPress(wanted: boolean, take: (event: KeyboardEvent) => void): void {
  useLayoutEffect(() => {
    if (!wanted) return;
    const onKey = (event: KeyboardEvent) => {
      if (["Shift", "Control", "Alt", "Meta", "AltGraph"].includes(event.key)) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      take(event);
    };
    document.addEventListener("keydown", onKey, { capture: true });
    return () => document.removeEventListener("keydown", onKey, { capture: true });
  });
}

function groupsOf(keymaps: readonly Keymap[]) {
  const groups = new Map<string, Keymap[number][]>();
  for (const binding of keymaps.flat()) {
    groups.set(binding.group, [...(groups.get(binding.group) ?? []), binding]);
  }
  return groups;
}
