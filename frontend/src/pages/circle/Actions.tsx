import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { post } from "../../api/client";
import type { Circle, Run } from "../../api/models";
import type { Role } from "../../api/types";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { ErrorNotice } from "../../parts/Notice";
import { useAction } from "../../parts/useAction";
import { Promote } from "../models/Promote";
import { nameOf } from "../models/words";
import { FineTune } from "./FineTune";
import { type Deed, deeds, mainDeed } from "./state";

interface Props {
  circle: Circle;
  role: Role;
  reload: () => Promise<void>;
}

/** What each deed that is one click asks the server for. */
const STARTS = {
  reward: { kind: "reward" },
  ask: { kind: "generate", purpose: "ask" },
  arena: { kind: "generate", purpose: "arena" },
} as const;

/** What somebody may do now; the one that the circle waits for stands first and stands out. */
export function Actions({ circle, role, reload }: Props) {
  const [dialog, setDialog] = useState<"policy" | "promote" | null>(null);
  const start = useAction(async (deed: keyof typeof STARTS) => {
    await post<Run>(`projects/${circle.project.slug}/runs/`, STARTS[deed]);
    await reload();
  });
  const done = () => {
    setDialog(null);
    reload();
  };

  const draw = (deed: Deed) => {
    const kind = deed === mainDeed(circle) ? "primary" : "plain";
    if (deed === "label") {
      return (
        <Link key={deed} class={`button ${kind}`} href={`/p/${circle.project.slug}/label`}>
          {t("circle.do.label")}
        </Link>
      );
    }
    const name = circle.candidate ? nameOf("policy", circle.candidate) : "";
    const press = () => {
      if (deed === "policy" || deed === "promote") setDialog(deed);
      else start.run(deed);
    };
    return (
      <Button key={deed} kind={kind} disabled={start.busy} onClick={press}>
        {t(`circle.do.${deed}`, { name })}
      </Button>
    );
  };

  return (
    <>
      <div class="actions ring-actions">{deeds(circle, role).map(draw)}</div>
      <ErrorNotice error={start.error} />
      {dialog === "policy" && (
        <FineTune circle={circle} onClose={() => setDialog(null)} onStarted={done} />
      )}
      {dialog === "promote" && circle.candidate && (
        <Promote
          version={{
            ...circle.candidate,
            kind: "policy",
            accuracy: null,
            standing: circle.win_rate?.policy.id === circle.candidate.id ? circle.win_rate : null,
          }}
          onClose={() => setDialog(null)}
          onPromoted={done}
        />
      )}
    </>
  );
}
