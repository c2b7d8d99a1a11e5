import type { Version, VersionKind } from "../../api/models";
import { t } from "../../i18n";

/** "Policy 3", "Policy 3 at step 20", "Reward model 4". */
export function nameOf(kind: VersionKind, { number, step }: Named): string {
  const name = t(`model.${kind}`, { number });
  return step == null ? name : t("model.at_step", { name, step });
}

export interface Named {
  number: number;
  step?: number | null;
}

/** The same, and that it is the reference where it is. */
export function versionName(version: Version): string {
  const { kind, is_reference } = version;
  const name = nameOf(kind, version);
  return is_reference ? t("model.reference", { name }) : name;
}
