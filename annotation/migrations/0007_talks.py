"""How many replies a turn of a talk has, and comparisons that are reserved for one person: only
they can be asked those, and they find them as `returned`, so nobody starts the queue over."""

from django.db import migrations, models

COUNTED = """
CREATE OR REPLACE FUNCTION vibecheck_comparisons_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE annotation_project SET additions = additions + 1
    WHERE id IN (SELECT project_id FROM added WHERE NOT returned);
    RETURN NULL;
END $$;
"""
ALL_COUNTED = COUNTED.replace(" WHERE NOT returned", "")


class Migration(migrations.Migration):
    dependencies = [("annotation", "0006_no_index_twice")]
    operations = [
        migrations.AddField(
            model_name="project",
            name="talk_replies",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="Replies of the policy to compare at each turn of a talk, 2 to 4; 0: no talks.",
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(("talk_replies__in", [0, 2, 3, 4])),
                name="project_talk_replies_0_2_3_4",
            ),
        ),
        migrations.RunSQL(COUNTED, ALL_COUNTED),
    ]
