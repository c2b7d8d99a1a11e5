import type { RunKind } from "../../api/models";
import { t } from "../../i18n";
import { factsOf } from "./report";
import "./report.css";

interface Props {
  kind: RunKind;
  report: Record<string, unknown>;
}

/** A finished run's figures; where there is a before, it stands beside the after. */
export function Report({ kind, report }: Props) {
  const facts = factsOf(kind, report);
  if (facts.length === 0) return null;
  const compared = facts.filter(({ before }) => before !== undefined);
  const alone = facts.filter(({ before }) => before === undefined);
  return (
    <section class="report">
      <h2>{t("report.title")}</h2>
      {compared.length > 0 && (
        <div class="table-scroll">
          <table class="table report-table">
            <caption class="visually-hidden">{t("report.title")}</caption>
            <thead>
              <tr>
                <th scope="col">{t("report.figure")}</th>
                <th scope="col">{t("report.before")}</th>
                <th scope="col">{t("report.after")}</th>
              </tr>
            </thead>
            <tbody>
              {compared.map(({ label, before, text }) => (
                <tr key={label}>
                  <th scope="row">{label}</th>
                  <td>{before}</td>
                  <td>{text}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <dl class="report-facts">
        {alone.map(({ label, text }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
