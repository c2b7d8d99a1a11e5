"""The statements by which slots change hands: claim, hold on, take back.

A labeler's place in a lane is the first comparison that they may be asked: all before it were
full, or theirs already, so looking past them again would only cost. It holds until comparisons
are added (`Project.additions`); what became free before it is marked `returned` by a trigger, and
comes first.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from annotation.models import Comparison, Membership
from annotation.prepared import execute

UNSHOWN_SECONDS = 15
"""How old a prefetched lease must be, its comparison never shown, before others may take it."""
START, END = [-40_000, -1.0, 0], [40_000, 0.0, 0]
"""Places before and after every comparison: negated priority, shuffle, id."""

Lane = Comparison.Lane

ORDER = "0 - c.priority, c.shuffle, c.id"
FOR_THEM = """
    c.project_id = %(project)s AND c.state = 'open'
    AND (c.reserved_for_id IS NULL OR c.reserved_for_id = %(labeler)s)
    AND NOT EXISTS (
        SELECT FROM annotation_assignment mine
        WHERE mine.comparison_id = c.id AND mine.labeler_id = %(labeler)s
          AND mine.state NOT IN ('released', 'expired'))
"""
ASKABLE = f"{FOR_THEM} AND c.lane = %(lane)s AND c.done < c.wanted - c.leased"
PLACE = "(%(rank)s::int, %(shuffle)s::float8, %(id)s)"
CLAIM = f"""
WITH ahead AS MATERIALIZED (
    SELECT 0 - c.priority AS rank, c.shuffle, c.id FROM annotation_comparison c
    WHERE {ASKABLE} AND ({ORDER}) >= {PLACE}
    ORDER BY {ORDER} LIMIT 1
), behind AS (
    SELECT c.id FROM annotation_comparison c
    WHERE {ASKABLE} AND c.returned AND ({ORDER}) < {PLACE}
    ORDER BY {ORDER} LIMIT %(wanted)s
    FOR NO KEY UPDATE OF c SKIP LOCKED
), onward AS (
    SELECT c.id FROM annotation_comparison c
    WHERE {ASKABLE} AND ({ORDER}) >=
        ((SELECT rank FROM ahead), (SELECT shuffle FROM ahead), (SELECT id FROM ahead))
    ORDER BY {ORDER} LIMIT %(wanted)s - (SELECT count(*) FROM behind)
    FOR NO KEY UPDATE OF c SKIP LOCKED
), held AS (
    UPDATE annotation_comparison c SET leased = c.leased + 1
    FROM (SELECT id FROM behind UNION ALL SELECT id FROM onward) picked
    WHERE c.id = picked.id
    RETURNING c.id
), given AS (
    INSERT INTO annotation_assignment
        (key, comparison_id, labeler_id, state, "order", token, expires_at, skip_reason,
         skip_note, created_at, updated_at)
    SELECT translate(encode(uuid_send(gen_random_uuid()), 'base64'), '+/=', '-_'), held.id,
           %(labeler)s, 'leased',
           (SELECT array_agg(r.place ORDER BY random())
            FROM annotation_comparisonresponse r WHERE r.comparison_id = held.id),
           gen_random_uuid(), %(expires)s, '', '', %(now)s, %(now)s
    FROM held
    ON CONFLICT (comparison_id, labeler_id) DO UPDATE
        SET state = 'leased', token = gen_random_uuid(), expires_at = EXCLUDED.expires_at,
            shown_at = NULL, updated_at = EXCLUDED.updated_at
    RETURNING id
), moved AS (
    UPDATE annotation_membership
    SET places = %(places)s::jsonb || jsonb_build_object(%(lane)s, coalesce(
        (SELECT jsonb_build_array(rank, shuffle, id) FROM ahead), %(end)s::jsonb))
    WHERE id = %(membership)s
    RETURNING places
)
SELECT (SELECT count(*) FROM given),
       EXISTS (SELECT FROM ahead) OR EXISTS (
           SELECT FROM annotation_comparison c
           WHERE {ASKABLE} AND c.returned AND ({ORDER}) < {PLACE}),
       places
FROM moved
"""  # noqa: S608 (put together from the constants above)

PATIENT_CLAIM = CLAIM.replace("SKIP LOCKED", "")
"""Waits for what others are just claiming, where a claim passes it by."""

LOCK = """
SELECT m.places, p.additions
FROM annotation_membership m JOIN annotation_project p ON p.id = m.project_id
WHERE m.id = %(membership)s
FOR NO KEY UPDATE OF m
"""

EXTEND = """
UPDATE annotation_assignment a SET expires_at = %(expires)s
FROM annotation_comparison c
WHERE c.id = a.comparison_id AND c.project_id = %(project)s
  AND a.labeler_id = %(labeler)s AND a.state = 'leased'
"""

TAKE_BACK = """
WITH freed AS (
    SELECT a.id, a.comparison_id
    FROM annotation_assignment a JOIN annotation_comparison c ON c.id = a.comparison_id
    WHERE a.state = 'leased' AND {which}
    ORDER BY a.expires_at LIMIT %(limit)s
    FOR NO KEY UPDATE OF c, a SKIP LOCKED
), gone AS (
    UPDATE annotation_assignment a
    SET state = 'expired', token = gen_random_uuid(), updated_at = %(now)s
    FROM freed WHERE a.id = freed.id
    RETURNING a.comparison_id
)
UPDATE annotation_comparison c SET leased = c.leased - gone.slots
FROM (SELECT comparison_id, count(*) AS slots FROM gone GROUP BY comparison_id) gone
WHERE c.id = gone.comparison_id
"""
TAKE_EXPIRED = TAKE_BACK.format(which="a.expires_at < %(now)s")
TAKE_FOR_THEM = TAKE_BACK.format(
    which=f"""{FOR_THEM}
    AND (a.expires_at < %(now)s OR (a.shown_at IS NULL AND a.updated_at < %(unshown)s))"""
)


def lock(membership: Membership) -> None:
    """Hold the labeler's row to the end of the transaction, and read how far they have come."""
    places, additions = execute(LOCK, {"membership": membership.pk}).fetchone()
    membership.places = json.loads(places)
    membership.project.additions = additions


def claim(
    membership: Membership, lane: Lane, wanted: int, now: datetime, *, patient: bool = False
) -> tuple[int, bool]:
    """Lease `wanted` of a lane; returns how many, and whether there was one at all to be asked."""
    statement = PATIENT_CLAIM if patient else CLAIM
    values = claim_values(membership, lane, wanted, now)
    taken, more, places = execute(statement, values).fetchone()
    membership.places = json.loads(places)
    return taken, more


def claim_values(membership: Membership, lane: Lane, wanted: int, now: datetime) -> dict[str, Any]:
    places = membership.places
    if places.get("additions") != membership.project.additions:
        places = {"additions": membership.project.additions}
    rank, shuffle, comparison = places.get(lane, START)
    return {
        "project": membership.project_id,
        "labeler": membership.user_id,
        "membership": membership.pk,
        "lane": lane.value,
        "places": json.dumps(places),
        "rank": rank,
        "shuffle": shuffle,
        "id": comparison,
        "end": json.dumps(END),
        "wanted": wanted,
        "now": now,
        "expires": lease_end(now),
    }


def extend(membership: Membership, now: datetime) -> int:
    """Hold on to what this labeler has; returns how many that is."""
    values = {
        "project": membership.project_id,
        "labeler": membership.user_id,
        "expires": lease_end(now),
    }
    return execute(EXTEND, values).rowcount


def take_for(membership: Membership, wanted: int, now: datetime) -> None:
    """Free what others let expire, or never showed, as far as this labeler can be asked it."""
    values = {
        "project": membership.project_id,
        "labeler": membership.user_id,
        "now": now,
        "unshown": now - timedelta(seconds=UNSHOWN_SECONDS),
        "limit": wanted,
    }
    execute(TAKE_FOR_THEM, values)


def take_expired(now: datetime, limit: int) -> int:
    """Free the slots of leases that ran out; returns of how many comparisons."""
    return execute(TAKE_EXPIRED, {"now": now, "limit": limit}).rowcount


def lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_SECONDS)
