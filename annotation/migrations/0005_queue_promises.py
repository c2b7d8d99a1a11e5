"""What the queue promises a labeler, whatever code writes: nobody's place outruns the truth, and
an answer stays with the comparison, the person and the order that it was given in."""

from django.db import migrations

RETURNED = """
CREATE FUNCTION vibecheck_comparison_returned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.returned := true;
    RETURN NEW;
END $$;
CREATE TRIGGER annotation_comparison_returned BEFORE UPDATE ON annotation_comparison
    FOR EACH ROW WHEN (
        NEW.wanted - NEW.done - NEW.leased > OLD.wanted - OLD.done - OLD.leased
        OR NEW.priority > OLD.priority
        OR NEW.shuffle < OLD.shuffle
        OR NEW.kind <> OLD.kind
        OR (NEW.state = 'open' AND OLD.state <> 'open')
        OR NEW.reserved_for_id IS DISTINCT FROM OLD.reserved_for_id
    ) EXECUTE FUNCTION vibecheck_comparison_returned();
"""
NOT_RETURNED = """
DROP TRIGGER annotation_comparison_returned ON annotation_comparison;
DROP FUNCTION vibecheck_comparison_returned();
"""

ADDED = """
CREATE FUNCTION vibecheck_comparisons_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE annotation_project SET additions = additions + 1
    WHERE id IN (SELECT project_id FROM added);
    RETURN NULL;
END $$;
CREATE TRIGGER annotation_comparison_added AFTER INSERT ON annotation_comparison
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION vibecheck_comparisons_added();
"""
NOT_ADDED = """
DROP TRIGGER annotation_comparison_added ON annotation_comparison;
DROP FUNCTION vibecheck_comparisons_added();
"""

SHOWN = """
CREATE TRIGGER annotation_assignment_immutable
    BEFORE UPDATE OF key, comparison_id, labeler_id, "order" ON annotation_assignment
    FOR EACH ROW WHEN (
        (OLD.key, OLD.comparison_id, OLD.labeler_id, OLD."order")
        IS DISTINCT FROM (NEW.key, NEW.comparison_id, NEW.labeler_id, NEW."order")
    ) EXECUTE FUNCTION vibecheck_refuse_change();
"""
NOT_SHOWN = "DROP TRIGGER annotation_assignment_immutable ON annotation_assignment"

GIVEN_THERE = """
ALTER TABLE annotation_assignment
    ADD CONSTRAINT assignment_who_and_what UNIQUE (id, comparison_id, labeler_id);
ALTER TABLE annotation_preference
    ADD CONSTRAINT preference_given_there FOREIGN KEY (assignment_id, comparison_id, labeler_id)
    REFERENCES annotation_assignment (id, comparison_id, labeler_id);
"""
NOT_GIVEN_THERE = """
ALTER TABLE annotation_preference DROP CONSTRAINT preference_given_there;
ALTER TABLE annotation_assignment DROP CONSTRAINT assignment_who_and_what;
"""

COUNT_ANSWERS = """
UPDATE annotation_membership m
SET answers = counted.standing, answers_today = counted.today,
    answers_day = (now() AT TIME ZONE 'UTC')::date
FROM (
    SELECT p.project_id, p.labeler_id, count(*) AS standing, count(*) FILTER (
        WHERE (p.created_at AT TIME ZONE 'UTC')::date = (now() AT TIME ZONE 'UTC')::date
    ) AS today
    FROM annotation_preference p
    WHERE p.assignment_id IS NOT NULL AND NOT p.retracted
      AND NOT EXISTS (SELECT FROM annotation_preference n WHERE n.supersedes_id = p.id)
    GROUP BY p.project_id, p.labeler_id
) counted
WHERE counted.project_id = m.project_id AND counted.labeler_id = m.user_id
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0004_queue_places")]
    operations = [
        migrations.RunSQL(RETURNED, NOT_RETURNED),
        migrations.RunSQL(ADDED, NOT_ADDED),
        migrations.RunSQL(SHOWN, NOT_SHOWN),
        migrations.RunSQL(GIVEN_THERE, NOT_GIVEN_THERE),
        migrations.RunSQL(COUNT_ANSWERS, migrations.RunSQL.noop),
    ]
