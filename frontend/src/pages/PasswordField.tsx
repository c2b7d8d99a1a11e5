import { t } from "../i18n";
import { Field } from "../parts/Field";

interface Props {
  label: string;
  value: string;
  set: (value: string) => void;
  error?: string;
}

/** A password to choose: what the server asks of it is said before it is typed. */
export function NewPasswordField({ label, value, set, error }: Props) {
  return (
    <Field label={label} error={error} help={t("password.help")}>
      {(control) => (
        <input
          {...control}
          type="password"
          autoComplete="new-password"
          required
          value={value}
          onInput={(event) => set(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
