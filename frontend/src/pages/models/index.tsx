import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function Models() {
  useTitle(t("nav.models"));
  return (
    <div class="page">
      <h1>{t("nav.models")}</h1>
    </div>
  );
}
