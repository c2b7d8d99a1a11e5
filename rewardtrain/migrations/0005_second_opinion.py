from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rewardtrain', '0004_scorings'),
    ]

    operations = [
        migrations.AddField(
            model_name='looppolicy',
            name='second_opinion',
            field=models.BooleanField(default=False, help_text='Learn from half of the threads; a model of the others watches fine-tuning.'),
        ),
    ]
