import type { Version, VersionKind } from "../../api/models";
import { t } from "../../i18n";

/** "Policy 3", "Reward model 4". */
export function nameOf(kind: VersionKind, number: number): string {
  return t(`model.${kind}`, { number });
}

/** The same, and that it is the reference where it is. */
export function versionName({ kind, number, is_reference }: Version): string {
  const name = nameOf(kind, number);
  return is_reference ? t("model.reference", { name }) : name;
}
