import { useMemo, useState } from "preact/hooks";
import type { ArenaPoint, Run, Sample } from "../../api/models";
import { useResource } from "../../api/resource";
import type { Results } from "../../api/types";
import { decimal } from "../../charts/figures";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Loaded } from "../../parts/States";
import { nameOf } from "../models/words";
import { type Pair, pairsOf } from "./meeting";

const SHOWN = 2;

/** What the policy wrote beside what the reference wrote, once nobody has to judge it blind. */
export function Meeting({ slug, point }: { slug: string; point: ArenaPoint }) {
  const open = point.win_rate?.open ?? 0;
  return (
    <section class="meeting">
      <h3>{t("arena.samples", { number: point.version.number })}</h3>
      {open > 0 ? (
        <p class="quiet">{t("arena.samples_open", { count: open })}</p>
      ) : (
        <Texts slug={slug} version={point.version} />
      )}
    </section>
  );
}

function Texts({ slug, version }: { slug: string; version: ArenaPoint["version"] }) {
  const runs = useResource<Results<Run>>(`projects/${slug}/runs/`);
  return (
    <Loaded resource={runs}>
      {({ results }) => {
        const run = results.find(
          ({ kind, purpose, state, policy }) =>
            kind === "generate" &&
            purpose === "arena" &&
            state === "succeeded" &&
            policy?.id === version.id,
        );
        if (!run) return <p class="quiet">{t("arena.samples_none")}</p>;
        return <Pairs run={run} name={nameOf("policy", version.number)} />;
      }}
    </Loaded>
  );
}

function Pairs({ run, name }: { run: Run; name: string }) {
  const samples = useResource<Results<Sample>>(`runs/${run.id}/samples/`);
  const [shown, setShown] = useState(SHOWN);
  const pairs = useMemo(() => pairsOf(samples.data?.results ?? []), [samples.data]);
  return (
    <Loaded resource={samples}>
      {() => (
        <>
          <p class="quiet">{t("arena.farthest")}</p>
          <ol class="pairs">
            {pairs.slice(0, shown).map((pair) => (
              <li key={pair.prompt}>
                <PairTexts pair={pair} name={name} />
              </li>
            ))}
          </ol>
          {pairs.length > shown && (
            <Button onClick={() => setShown(shown + SHOWN)}>{t("common.more")}</Button>
          )}
        </>
      )}
    </Loaded>
  );
}

function PairTexts({ pair: { prompt, policy, reference }, name }: { pair: Pair; name: string }) {
  const kl = policy.kl === null ? "" : ` · ${t("samples.kl", { value: decimal(policy.kl) })}`;
  return (
    <>
      <p class="pair-prompt">{prompt}</p>
      {policy.text === reference.text && <p class="quiet">{t("arena.same")}</p>}
      <dl class="pair">
        <div>
          <dt>
            {name}
            {kl}
          </dt>
          <dd>{policy.text}</dd>
        </div>
        <div>
          <dt>{t("arena.reference")}</dt>
          <dd>{reference.text}</dd>
        </div>
      </dl>
    </>
  );
}
