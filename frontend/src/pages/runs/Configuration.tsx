import type { RunDetail } from "../../api/models";
import { t } from "../../i18n";

/** Every field of what the run was asked to do, by the name that the script gives it. */
export function Configuration({ run: { configuration } }: { run: RunDetail }) {
  const fields = Object.entries(configuration).sort(([a], [b]) => a.localeCompare(b));
  return (
    <section>
      <h2>{t("run.configuration")}</h2>
      <dl class="configuration">
        {fields.map(([name, value]) => (
          <div key={name}>
            <dt>
              <code>{name}</code>
            </dt>
            <dd>
              <code>{typeof value === "object" ? JSON.stringify(value) : String(value)}</code>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
