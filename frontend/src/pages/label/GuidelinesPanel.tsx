import { post } from "../../api/client";
import type { Resource } from "../../api/resource";
import type { GuidelinesVersion, Results } from "../../api/types";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { ErrorNotice } from "../../parts/Notice";
import { Loaded } from "../../parts/States";
import { useAction } from "../../parts/useAction";
import { Markdown } from "../../render/Markdown";

interface Props {
  slug: string;
  versions: Resource<Results<GuidelinesVersion>>;
  onClose: () => void;
}

/** Beside the work: what to look for, and whether one has read it. */
export function GuidelinesPanel({ slug, versions, onClose }: Props) {
  const acknowledge = useAction(async (version: number) => {
    await post(`projects/${slug}/guidelines/acknowledge/`, { version });
    await versions.reload();
    onClose();
  });
  return (
    <aside class="guidelines" aria-label={t("label.guidelines_title")}>
      <header class="guidelines-head">
        <h2>{t("label.guidelines_title")}</h2>
        <Button kind="quiet" hint="g" onClick={onClose}>
          {t("common.close")}
        </Button>
      </header>
      <Loaded resource={versions}>
        {({ results: [newest] }) =>
          newest ? (
            <>
              <Markdown kind="document" text={newest.text} />
              <p class="quiet">
                {t("label.guidelines_version", { version: newest.version })}
                {newest.acknowledged && ` ${t("label.acknowledged")}`}
              </p>
              {!newest.acknowledged && (
                <Button
                  kind="primary"
                  busy={acknowledge.busy}
                  onClick={() => acknowledge.run(newest.version)}
                >
                  {t("label.acknowledge")}
                </Button>
              )}
              <ErrorNotice error={acknowledge.error} />
            </>
          ) : (
            <p class="quiet">{t("label.no_guidelines")}</p>
          )
        }
      </Loaded>
    </aside>
  );
}
