import { session } from "../../account";
import { t } from "../../i18n";
import { useTitle } from "../../parts/Shell";
import { ChangePassword } from "./ChangePassword";
import { Language } from "./Language";
import { Tokens } from "./Tokens";

export default function Account() {
  useTitle(t("nav.account"));
  const user = session.value?.user;
  return (
    <div class="page narrow">
      <h1>{user?.name || user?.username}</h1>
      <Language />
      <ChangePassword />
      <Tokens />
    </div>
  );
}
