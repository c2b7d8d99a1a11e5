from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rewardtrain', '0005_second_opinion'),
    ]

    operations = [
        migrations.AddField(
            model_name='looppolicy',
            name='selection',
            field=models.CharField(choices=[('random', 'Random'), ('d_optimal', 'D Optimal'), ('uncertain', 'Uncertain')], default='random', help_text='How comparisons are chosen once there are enough labels to choose by.', max_length=9),
        ),
        migrations.AlterField(
            model_name='run',
            name='kind',
            field=models.CharField(choices=[('generate', 'Generate'), ('reward', 'Reward'), ('policy', 'Policy'), ('evaluate', 'Evaluate'), ('select', 'Select')], max_length=8),
        ),
        migrations.AlterField(
            model_name='run',
            name='purpose',
            field=models.CharField(choices=[('ask', 'Ask'), ('pool', 'Pool'), ('arena', 'Arena'), ('confirm', 'Confirm'), ('suspect', 'Suspect'), ('watch', 'Watch'), ('train', 'Train'), ('measure', 'Measure')], default='train', max_length=8),
        ),
        migrations.RemoveConstraint(
            model_name='run',
            name='run_kind_known',
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['generate', 'reward', 'policy', 'evaluate', 'select'])), name='run_kind_known'),
        ),
    ]
