import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function Arena() {
  useTitle(t("nav.arena"));
  return (
    <div class="page">
      <h1>{t("nav.arena")}</h1>
    </div>
  );
}
