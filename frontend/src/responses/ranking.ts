/** A ranking that is being made: tiers of positions, best first. What each step makes of it. */

export type Tiers = number[][];

/** The next tier, or with `join` one more in the last; a response that is placed already moves. */
export function placed(tiers: Tiers, position: number, join: boolean): Tiers {
  const rest = without(tiers, position);
  const last = rest.at(-1);
  if (!join || !last) return [...rest, [position]];
  return [...rest.slice(0, -1), [...last, position]];
}

export function withoutLast(tiers: Tiers): Tiers {
  const last = tiers.at(-1)?.at(-1);
  return last === undefined ? tiers : without(tiers, last);
}

/** One step better (-1) or worse (1): out of a tie, or into one with the neighbours. */
export function moved(tiers: Tiers, position: number, step: -1 | 1): Tiers {
  const tier = tiers.findIndex((members) => members.includes(position));
  const alone = tiers[tier]?.length === 1;
  const beside = tiers[tier + step];
  if (tier < 0 || (alone && !beside)) return tiers;
  const rest = without(tiers, position);
  if (!alone) return inserted(rest, step < 0 ? tier : tier + 1, [position]);
  const joined = rest.indexOf(beside as number[]);
  return rest.map((members, place) => (place === joined ? [...members, position] : members));
}

/** The response at `from`, counted from the best, put at `to`: into a tie if it lands inside one. */
export function dropped(tiers: Tiers, from: number, to: number): Tiers {
  const position = tiers.flat()[from];
  if (position === undefined) return tiers;
  const rest = without(tiers, position);
  let passed = 0;
  for (const [tier, members] of rest.entries()) {
    const within = to - passed;
    if (within <= 0) return inserted(rest, tier, [position]);
    if (within < members.length) {
      return rest.map((m, t) => (t === tier ? inserted(m, within, position) : m));
    }
    passed += members.length;
  }
  return [...rest, [position]];
}

/** Makes equals of the responses at `place - 1` and `place`, or parts them where they are. */
export function toggled(tiers: Tiers, place: number): Tiers {
  let passed = 0;
  for (const [tier, members] of tiers.entries()) {
    const within = place - passed;
    if (within === 0) {
      const merged = [...(tiers[tier - 1] ?? []), ...members];
      return [...tiers.slice(0, Math.max(0, tier - 1)), merged, ...tiers.slice(tier + 1)];
    }
    if (within < members.length) {
      const parts = [members.slice(0, within), members.slice(within)];
      return [...tiers.slice(0, tier), ...parts, ...tiers.slice(tier + 1)];
    }
    passed += members.length;
  }
  return tiers;
}

function without(tiers: Tiers, position: number): Tiers {
  if (!tiers.some((members) => members.includes(position))) return tiers;
  return tiers
    .map((members) =>
      members.includes(position) ? members.filter((p) => p !== position) : members,
    )
    .filter((members) => members.length > 0);
}

function inserted<T>(list: T[], place: number, item: T): T[] {
  return [...list.slice(0, place), item, ...list.slice(place)];
}
