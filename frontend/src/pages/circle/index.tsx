import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function Circle() {
  useTitle(t("nav.circle"));
  return (
    <div class="page">
      <h1>{t("nav.circle")}</h1>
    </div>
  );
}
