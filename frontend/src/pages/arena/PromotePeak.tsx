import { useState } from "preact/hooks";
import type { Standing, Version, VersionLink } from "../../api/models";
import { useResource } from "../../api/resource";
import type { Results } from "../../api/types";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Promote } from "../models/Promote";
import { nameOf } from "../models/words";

interface Props {
  slug: string;
  peak: VersionLink;
  standing: Standing | null;
  reload: () => Promise<void>;
}

/** The one button: promote what people prefer most, unless it serves already. */
export function PromotePeak({ slug, peak, standing, reload }: Props) {
  const models = useResource<Results<Version>>(`projects/${slug}/models/`);
  const [asking, setAsking] = useState(false);
  const stage = models.data?.results.find(({ id }) => id === peak.id)?.stage;
  const name = nameOf("policy", peak);
  if (!stage) return null;
  if (stage === "promoted") return <p class="quiet">{t("arena.peak_serves", { name })}</p>;
  return (
    <>
      <Button kind="primary" onClick={() => setAsking(true)}>
        {t("arena.promote", { name })}
      </Button>
      {asking && (
        <Promote
          version={{ ...peak, kind: "policy", standing, accuracy: null }}
          onClose={() => setAsking(false)}
          onPromoted={() => {
            setAsking(false);
            reload();
            models.reload();
          }}
        />
      )}
    </>
  );
}
