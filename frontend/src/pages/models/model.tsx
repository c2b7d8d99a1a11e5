import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function ModelPage() {
  useTitle(t("nav.model"));
  return (
    <div class="page">
      <h1>{t("nav.model")}</h1>
    </div>
  );
}
