import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function Join() {
  useTitle(t("nav.join"));
  return (
    <div class="page">
      <h1>{t("nav.join")}</h1>
    </div>
  );
}
