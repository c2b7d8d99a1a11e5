import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function NewProject() {
  useTitle(t("nav.new"));
  return (
    <div class="page">
      <h1>{t("nav.new")}</h1>
    </div>
  );
}
