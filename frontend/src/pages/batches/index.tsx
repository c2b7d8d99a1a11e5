import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function BatchPage() {
  useTitle(t("nav.batch"));
  return (
    <div class="page">
      <h1>{t("nav.batch")}</h1>
    </div>
  );
}
