import { useRef, useState } from "preact/hooks";
import { post } from "../../api/client";
import type { ImportReport } from "../../api/types";
import { integer } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Field } from "../../parts/Field";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { useAction } from "../../parts/useAction";
import type { SettingsProps } from ".";

export function AskedSettings({ project }: SettingsProps) {
  return (
    <>
      <Import path={`projects/${project.slug}/prompts/`} what="prompts" />
      <Import path={`projects/${project.slug}/comparisons/`} what="comparisons" />
      <Section title={t("export.title")} about={t("export.about")}>
        <div class="actions">
          <a class="button" href={`/api/projects/${project.slug}/preferences/export/`} download>
            {t("export.download")}
          </a>
        </div>
      </Section>
    </>
  );
}

/** Pasted lines or a file, and afterwards what became of every line. */
function Import({ path, what }: { path: string; what: "prompts" | "comparisons" }) {
  const [text, setText] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const [report, setReport] = useState<ImportReport | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const send = useAction(async () => {
    setReport(null);
    setReport(await post<ImportReport>(path, file ? formWith(file) : { text }));
    setText("");
    setFile(null);
    if (input.current) input.current.value = "";
  });

  return (
    <Section title={t(`import.${what}`)} about={t(`import.${what}_about`)}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          send.run();
        }}
      >
        <Field label={t("import.paste")} error={send.errorOf("text")}>
          {(control) => (
            <textarea
              {...control}
              class="mono-input"
              rows={6}
              spellcheck={false}
              placeholder={t(`import.${what}_example`)}
              value={text}
              disabled={file !== null}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={t("import.file")} help={t("import.file_help")} error={send.errorOf("file")}>
          {(control) => (
            <input
              {...control}
              ref={input}
              type="file"
              accept=".jsonl,.json,.txt,.gz"
              onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)}
            />
          )}
        </Field>
        {!send.errorOf("text") && !send.errorOf("file") && <ErrorNotice error={send.error} />}
        <div class="actions">
          <Button type="submit" busy={send.busy} disabled={!text.trim() && !file}>
            {send.busy ? t("import.sending") : t(`import.add_${what}`)}
          </Button>
        </div>
      </form>
      {report && <Report report={report} />}
    </Section>
  );
}

function Report({ report: { created, existing, errors, preferences } }: { report: ImportReport }) {
  return (
    <Notice kind={errors.length > 0 ? "warn" : "info"}>
      <p>
        {t("import.report", { created: integer(created), existing: integer(existing) })}{" "}
        {preferences ? t("import.report_answers", { count: preferences }) : ""}{" "}
        {errors.length > 0 && t("import.report_errors", { count: errors.length })}
      </p>
      {errors.length > 0 && (
        <ol class="import-errors">
          {errors.map(({ line, reason }) => (
            <li key={line}>
              <span class="quiet">{t("import.line", { line: integer(line) })}</span>
              <span>{reason}</span>
            </li>
          ))}
        </ol>
      )}
    </Notice>
  );
}

function formWith(file: File): FormData {
  const form = new FormData();
  form.append("file", file);
  return form;
}
