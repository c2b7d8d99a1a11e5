import type { Round } from "../../api/models";
import { t } from "../../i18n";

/** One strip of steps a round, the oldest first; each round leads to its part of the story. */
export function Rounds({ rounds }: { rounds: readonly Round[] }) {
  if (rounds.length === 0) return null;
  return (
    <nav class="rounds" aria-label={t("circle.rounds.title")}>
      <h2>{t("circle.rounds.title")}</h2>
      <ol>
        {[...rounds].reverse().map((round) => (
          <li key={round.number}>
            <a
              href={`#round-${round.number}`}
              class="round"
              aria-label={`${t("circle.rounds.number", { number: round.number })}: ${inWords(round)}`}
              aria-current={round.finished_at === null ? "step" : undefined}
              title={inWords(round)}
            >
              <span class="round-number">{round.number}</span>
              <Steps round={round} />
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}

const APART = 18;
const RADIUS = 4;

/** ●──●──○: filled where a step is done. */
function Steps({ round: { steps } }: { round: Round }) {
  const width = (steps.length - 1) * APART + 2 * RADIUS + 2;
  const x = (i: number) => RADIUS + 1 + i * APART;
  return (
    <svg class="round-steps" width={width} height={12} aria-hidden="true">
      {steps.slice(1).map(({ what }, i) => (
        <path key={what} d={`M${x(i) + RADIUS} 6H${x(i + 1) - RADIUS}`} />
      ))}
      {steps.map(({ what, done }, i) => (
        <circle key={what} cx={x(i)} cy={6} r={RADIUS} class={done ? "done" : undefined} />
      ))}
    </svg>
  );
}

function inWords({ steps }: Round): string {
  return steps
    .map(({ what, done }) =>
      t(done ? "circle.rounds.done" : "circle.rounds.open", { what: t(`circle.step.${what}`) }),
    )
    .join(", ");
}
