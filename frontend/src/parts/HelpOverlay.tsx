import { t } from "../i18n";
import { type Keymap, keySign } from "../keymap/keymap";
import { activeKeymaps } from "../keymap/useKeymap";
import { Dialog } from "./Dialog";

/** Every key that does something here, read from the keymaps that do it. */
export function HelpOverlay({ onClose }: { onClose: () => void }) {
  const groups = groupsOf(activeKeymaps.value);
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
                    {binding.keys.map((key) => (
                      <kbd key={key} class="key">
                        {keySign(key)}
                      </kbd>
                    ))}
                  </dt>
                  <dd>{binding.label}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

function groupsOf(keymaps: readonly Keymap[]) {
  const groups = new Map<string, Keymap[number][]>();
  for (const binding of keymaps.flat()) {
    groups.set(binding.group, [...(groups.get(binding.group) ?? []), binding]);
  }
  return groups;
}
