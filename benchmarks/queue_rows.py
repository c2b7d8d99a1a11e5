"""Rows for the queue's benchmark: really there, written by SQL because a million are."""

from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from annotation.models import Membership, Project

PAIRS_A_PROMPT = 6
"""Each prompt has four responses, and every pair of them is asked."""

PROMPTS = """
INSERT INTO annotation_prompt
    (project_id, messages, sha256, thread_root, split, checks, source, created_at)
SELECT %(project)s,
       jsonb_build_array(jsonb_build_object('role', 'user', 'content', said)),
       encode(sha256(said::bytea), 'hex'), encode(sha256(said::bytea), 'hex'), 'train', '[]',
       'benchmark', now()
FROM generate_series(1, %(prompts)s) AS n,
     LATERAL (SELECT 'Explain in a few sentences why bridge ' || n || ' sways.' AS said) AS text
"""
RESPONSES = """
INSERT INTO annotation_response (prompt_id, messages, sha256, created_at)
SELECT p.id, jsonb_build_array(jsonb_build_object('role', 'assistant', 'content', said)),
       encode(sha256(said::bytea), 'hex'), now()
FROM annotation_prompt p CROSS JOIN generate_series(1, 4) AS k,
     LATERAL (SELECT repeat('Wind number ' || p.id || ' pushes deck ' || k || '. ', 12) AS said) t
WHERE p.project_id = %(project)s
"""
PAIRS = """
CREATE TEMPORARY TABLE pair AS
SELECT a.prompt_id, a.id AS a, b.id AS b, sha256((a.id || ' ' || b.id)::bytea) AS hash
FROM annotation_prompt p
JOIN annotation_response a ON a.prompt_id = p.id
JOIN annotation_response b ON b.prompt_id = p.id AND a.id < b.id
WHERE p.project_id = %(project)s
"""
COMPARISONS = """
INSERT INTO annotation_comparison
    (project_id, prompt_id, sha256, kind, state, priority, shuffle, stream,
     selection_probability, wanted, done, leased, returned, created_at)
SELECT %(project)s, prompt_id, encode(hash, 'hex'), 'ask', 'open', 0,
       ('x' || encode(substr(hash, 1, 6), 'hex'))::bit(48)::bigint / 2.0 ^ 48,
       'random', 1, 2, 0, 0, false, now()
FROM pair
"""
PLACES = """
INSERT INTO annotation_comparisonresponse (comparison_id, response_id, place)
SELECT c.id, CASE place WHEN 0 THEN a ELSE b END, place
FROM pair
JOIN annotation_comparison c
    ON c.project_id = %(project)s AND c.sha256 = encode(pair.hash, 'hex')
CROSS JOIN generate_series(0, 1) AS place
"""
ANSWERED = """
WITH first AS (
    SELECT id FROM annotation_comparison
    WHERE project_id = %(project)s AND state = 'open' AND done < wanted - leased
    ORDER BY 0 - priority, shuffle, id LIMIT %(answered)s
), done AS (
    UPDATE annotation_comparison c SET done = 1 FROM first WHERE c.id = first.id RETURNING c.id
), assigned AS (
    INSERT INTO annotation_assignment
        (key, comparison_id, labeler_id, state, "order", token, expires_at, shown_at, skip_reason,
         skip_note, created_at, updated_at)
    SELECT md5(random()::text), id, %(labeler)s, 'answered', '{0,1}', gen_random_uuid(), now(),
           now(), '', '', now(), now()
    FROM done
    RETURNING id, comparison_id
)
INSERT INTO annotation_preference
    (project_id, assignment_id, comparison_id, labeler_id, origin, revision, retracted, surplus,
     outcome, tiers, ranking, strength, levels, "order", flags, ratings, spans, rationale,
     idempotency_key, request_sha256, created_at)
SELECT %(project)s, a.id, a.comparison_id, %(labeler)s, 'human', 1, false, false, 'prefer',
       jsonb_build_array(jsonb_build_array(l.response_id), jsonb_build_array(r.response_id)),
       'complete', 1, 3, ARRAY[l.response_id, r.response_id], '{}', '{}', '[]', '',
       gen_random_uuid(), '', now()
FROM assigned a
JOIN annotation_comparisonresponse l ON l.comparison_id = a.comparison_id AND l.place = 0
JOIN annotation_comparisonresponse r ON r.comparison_id = a.comparison_id AND r.place = 1
"""

ROWS = [
    ("annotation_prompt", PROMPTS),
    ("annotation_response", RESPONSES),
    ("pair", PAIRS),
    ("annotation_comparison", COMPARISONS),
    ("annotation_comparisonresponse", PLACES),
    ("annotation_preference", ANSWERED),
]


def build(open_comparisons: int, labelers: int, answered: int) -> tuple[Project, list[Membership]]:
    """An open project of `open_comparisons` that each want two labels, and its labelers.

    The first labeler has answered the `answered` that come first, and all of these are still open.
    """
    project = Project.objects.create(
        slug=f"queue-{open_comparisons}", name="The queue", state=Project.State.OPEN, overlap=2
    )
    members = [_member(project, number) for number in range(labelers)]
    values: dict[str, Any] = {
        "project": project.pk,
        "prompts": -(-open_comparisons // PAIRS_A_PROMPT),
        "answered": answered,
        "labeler": members[0].user_id,
    }
    with connection.cursor() as cursor:
        # What the triggers would check and count, row by row, holds by the way these are made.
        cursor.execute("SET session_replication_role = replica")
        for table, statement in ROWS:
            cursor.execute(statement, values)
            cursor.execute(f"ANALYZE {table}")
        cursor.execute("RESET session_replication_role")
        cursor.execute("DROP TABLE pair")
        cursor.execute("VACUUM ANALYZE")
    return project, members


def _member(project: Project, number: int) -> Membership:
    user, _ = User.objects.get_or_create(username=f"labeler{number}")
    return Membership.objects.create(user=user, project=project)
