import { useState } from "preact/hooks";
import { post } from "../../api/client";
import type { Accuracy, Share, Standing, VersionDetail, VersionKind } from "../../api/models";
import { isClear, rateOf } from "../../charts/figures";
import { integer } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Field } from "../../parts/Field";
import { Interval } from "../../parts/Interval";
import { ErrorNotice } from "../../parts/Notice";
import { useAction } from "../../parts/useAction";
import "./models.css";
import { nameOf } from "./words";

interface Props {
  version: {
    id: number;
    kind: VersionKind;
    number: number;
    step?: number | null;
    /** Of a policy, by people; of a reward model, by the labels. */
    standing: Standing | null;
    accuracy: Accuracy | null;
  };
  onClose: () => void;
  onPromoted: (version: VersionDetail) => void;
}

/** Puts a version into service on the figure that is shown; a reason where the figure is unclear. */
export function Promote({ version, onClose, onPromoted }: Props) {
  const { standing } = version;
  const rate = rateOf(standing);
  const judged = version.kind === "policy";
  const title = t(`promote.title.${version.kind}`, { name: nameOf(version.kind, version) });
  const [reason, setReason] = useState("");
  const promote = useAction(async () => {
    onPromoted(await post<VersionDetail>(`models/${version.id}/promote/`, { reason }));
  });
  const submit = (event: Event) => {
    event.preventDefault();
    promote.run();
  };

  return (
    <Dialog title={title} onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <dl class="facts">
          <div>
            <dt>{t(judged ? "promote.win_rate" : "promote.accuracy")}</dt>
            <dd>
              <Interval figure={judged ? rate : version.accuracy} />
            </dd>
          </div>
          {standing && (
            <div>
              <dt>{t("promote.of_them")}</dt>
              <dd>{standingWords(standing)}</dd>
            </div>
          )}
        </dl>
        <p>{t(judged ? verdict(rate) : "promote.by_hand")}</p>
        {!isClear(rate) && (
          <Field
            label={t("promote.reason")}
            help={t("promote.reason_help")}
            error={promote.errorOf("reason")}
          >
            {(control) => (
              <textarea
                {...control}
                rows={3}
                required={rate === null}
                value={reason}
                onInput={(event) => setReason(event.currentTarget.value)}
              />
            )}
          </Field>
        )}
        {!promote.errorOf("reason") && <ErrorNotice error={promote.error} />}
        <div class="actions">
          <Button type="submit" kind="primary" busy={promote.busy}>
            {title}
          </Button>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
        </div>
      </form>
    </Dialog>
  );
}

const verdict = (rate: Share | null) =>
  isClear(rate) ? "promote.clear" : rate ? "promote.unclear" : "promote.no_figure";

/** "12 wins, 2 ties (1 of them identical texts), 6 losses, 3 still open". */
export function standingWords({ wins, ties, losses, identical, open }: Standing): string {
  const parts = [
    t("arena.wins", { count: wins, shown: integer(wins) }),
    identical > 0
      ? t("arena.ties_identical", {
          count: ties,
          shown: integer(ties),
          identical: integer(identical),
        })
      : t("arena.ties", { count: ties, shown: integer(ties) }),
    t("arena.losses", { count: losses, shown: integer(losses) }),
  ];
  if (open > 0) parts.push(t("arena.open", { count: open, shown: integer(open) }));
  return parts.join(", ");
}
