import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function Label() {
  useTitle(t("nav.label"));
  return (
    <div class="page">
      <h1>{t("nav.label")}</h1>
    </div>
  );
}
