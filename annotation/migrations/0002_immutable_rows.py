"""What people were shown and what they answered cannot be rewritten, whatever code asks for it."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION vibecheck_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: its rows are immutable; append a new row instead',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
FROZEN_TABLES = [
    "annotation_preference",
    "annotation_batch",
    "annotation_batchitem",
    "annotation_comparisonresponse",
    "annotation_event",
]
TEXT_TABLES = ["annotation_prompt", "annotation_response"]


def trigger(table: str) -> str:
    return (
        f"CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION vibecheck_refuse_change();"
    )


def text_trigger(table: str) -> str:
    return (
        f"CREATE TRIGGER {table}_text_immutable BEFORE UPDATE OF messages, sha256 ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION vibecheck_refuse_change();"
    )


SAME_PROMPT = """
CREATE FUNCTION vibecheck_response_of_prompt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT prompt_id FROM annotation_comparison WHERE id = NEW.comparison_id)
        <> (SELECT prompt_id FROM annotation_response WHERE id = NEW.response_id) THEN
        RAISE EXCEPTION 'response % answers another prompt than comparison %',
            NEW.response_id, NEW.comparison_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER annotation_comparisonresponse_same_prompt
    BEFORE INSERT ON annotation_comparisonresponse
    FOR EACH ROW EXECUTE FUNCTION vibecheck_response_of_prompt();
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_initial")]
    operations = [
        migrations.RunSQL(
            REFUSE, "DROP FUNCTION vibecheck_refuse_change() CASCADE"
        ),
        *(
            migrations.RunSQL(trigger(table), f"DROP TRIGGER {table}_immutable ON {table}")
            for table in FROZEN_TABLES
        ),
        *(
            migrations.RunSQL(
                text_trigger(table), f"DROP TRIGGER {table}_text_immutable ON {table}"
            )
            for table in TEXT_TABLES
        ),
        migrations.RunSQL(
            SAME_PROMPT, "DROP FUNCTION vibecheck_response_of_prompt() CASCADE"
        ),
    ]
