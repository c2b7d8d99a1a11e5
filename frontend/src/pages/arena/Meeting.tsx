import { useState } from "preact/hooks";
import type { ArenaPoint, MatchTexts } from "../../api/models";
import { useResource } from "../../api/resource";
import type { Results } from "../../api/types";
import { decimal, signed } from "../../charts/figures";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Loaded } from "../../parts/States";
import { nameOf } from "../models/words";

const SHOWN = 2;

/** What the policy wrote beside what the reference wrote, once nobody has to judge it blind. */
export function Meeting({ point: { version, win_rate } }: { point: ArenaPoint }) {
  const open = win_rate?.open ?? 0;
  const name = nameOf("policy", version);
  return (
    <section class="meeting">
      <h3>{t("arena.samples", { name })}</h3>
      {open > 0 ? (
        <p class="quiet">{t("arena.samples_open", { count: open })}</p>
      ) : (
        <Texts version={version.id} name={name} />
      )}
    </section>
  );
}

function Texts({ version, name }: { version: number; name: string }) {
  const matches = useResource<Results<MatchTexts>>(`models/${version}/matches/`);
  const [shown, setShown] = useState(SHOWN);
  return (
    <Loaded resource={matches}>
      {({ results }) =>
        results.length === 0 ? (
          <p class="quiet">{t("arena.samples_none")}</p>
        ) : (
          <>
            <p class="quiet">{t("arena.worst")}</p>
            <ol class="pairs">
              {results.slice(0, shown).map((match, place) => (
                <li key={place}>
                  <PairTexts match={match} name={name} />
                </li>
              ))}
            </ol>
            {results.length > shown && (
              <Button onClick={() => setShown(shown + SHOWN)}>{t("common.more")}</Button>
            )}
          </>
        )
      }
    </Loaded>
  );
}

function PairTexts({ match, name }: { match: MatchTexts; name: string }) {
  const { prompt, policy, reference, kl, gain, result } = match;
  const facts = [
    result && t(`arena.result.${result}`),
    gain !== null && t("arena.gain", { value: signed(gain) }),
    kl !== null && t("samples.kl", { value: decimal(kl) }),
  ].filter(Boolean);
  return (
    <>
      <p class="pair-prompt">{prompt}</p>
      <p class="quiet">{policy === reference ? t("arena.same") : facts.join(" · ")}</p>
      <dl class="pair">
        <div>
          <dt>{name}</dt>
          <dd>{policy}</dd>
        </div>
        <div>
          <dt>{t("arena.reference")}</dt>
          <dd>{reference}</dd>
        </div>
      </dl>
    </>
  );
}
