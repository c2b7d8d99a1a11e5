import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function Settings() {
  useTitle(t("nav.settings"));
  return (
    <div class="page">
      <h1>{t("nav.settings")}</h1>
    </div>
  );
}
