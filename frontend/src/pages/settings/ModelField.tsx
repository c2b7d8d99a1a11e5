import { useEffect, useState } from "preact/hooks";
import { get, post } from "../../api/client";
import { usePoll } from "../../api/resource";
import type { ModelCheck } from "../../api/types";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Field } from "../../parts/Field";
import { ErrorNotice } from "../../parts/Notice";
import { useAction } from "../../parts/useAction";

interface Props {
  slug: string;
  label: string;
  help: string;
  value: string;
  set: (value: string) => void;
  error?: string;
}

/** A model's name or path; a worker says whether it loads, as soon as the field is left. */
export function ModelField({ slug, label, help, value, set, error }: Props) {
  const [check, setCheck] = useState<ModelCheck | null>(null);
  const ask = useAction(async (source: string) => {
    setCheck(await post<ModelCheck>(`projects/${slug}/model-checks/`, { source }));
  });
  usePoll(
    async () => {
      if (check) setCheck(await get<ModelCheck>(`model-checks/${check.id}/`).catch(() => check));
    },
    check?.state === "waiting" ? 1.5 : 0,
  );
  // A verdict speaks of the name that was asked, not of what the field says now.
  useEffect(() => {
    if (check && check.source.trim() !== value.trim()) setCheck(null);
  }, [value, check]);

  const refused = check?.state === "refused" ? check.reason : undefined;
  return (
    <div class="model-field">
      <Field label={label} help={help} error={error ?? refused}>
        {(control) => (
          <div class="copy-link">
            <input
              {...control}
              class="mono-input"
              spellcheck={false}
              autoCapitalize="none"
              value={value}
              onInput={(event) => set(event.currentTarget.value)}
              onChange={(event) =>
                event.currentTarget.value.trim() && ask.run(event.currentTarget.value)
              }
            />
            <Button disabled={!value.trim()} busy={ask.busy} onClick={() => ask.run(value)}>
              {t("settings.models.check")}
            </Button>
          </div>
        )}
      </Field>
      <p role="status" class="field-help">
        {check?.state === "waiting" && t("settings.models.checking")}
        {check?.state === "loadable" && t("settings.models.loadable")}
      </p>
      <ErrorNotice error={ask.error} />
    </div>
  );
}
