import { t } from "../../i18n";
import { Empty } from "../../parts/States";

export default function Missing() {
  return (
    <Empty whole title={t("error.missing_title")}>
      <p class="quiet">{t("error.missing")}</p>
      <p>
        <a href="/">{t("error.home")}</a>
      </p>
    </Empty>
  );
}
