import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function Runs() {
  useTitle(t("nav.runs"));
  return (
    <div class="page">
      <h1>{t("nav.runs")}</h1>
    </div>
  );
}
