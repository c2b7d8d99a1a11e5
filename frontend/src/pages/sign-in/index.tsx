import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";

export default function SignIn() {
  useTitle(t("nav.sign_in"));
  return (
    <div class="page">
      <h1>{t("nav.sign_in")}</h1>
    </div>
  );
}
