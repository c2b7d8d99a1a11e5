import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function Reset() {
  useTitle(t("nav.reset"));
  return (
    <div class="page">
      <h1>{t("nav.reset")}</h1>
    </div>
  );
}
