import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function RunPage() {
  useTitle(t("nav.run"));
  return (
    <div class="page">
      <h1>{t("nav.run")}</h1>
    </div>
  );
}
