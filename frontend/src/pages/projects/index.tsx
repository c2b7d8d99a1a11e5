import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function Projects() {
  useTitle(t("nav.projects"));
  return (
    <div class="page">
      <h1>{t("nav.projects")}</h1>
    </div>
  );
}
