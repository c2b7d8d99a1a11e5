import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function Account() {
  useTitle(t("nav.account"));
  return (
    <div class="page">
      <h1>{t("nav.account")}</h1>
    </div>
  );
}
