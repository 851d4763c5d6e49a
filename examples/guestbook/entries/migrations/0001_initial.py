from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('author', models.CharField(max_length=80, verbose_name='your name')),
                ('text', models.TextField(max_length=2000, verbose_name='your message')),
                ('photo', models.ImageField(blank=True, upload_to='photos/%Y/%m/', verbose_name='a photo')),
                ('created', models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
            options={
                'verbose_name_plural': 'entries',
                'ordering': ['-created', '-id'],
            },
        ),
    ]
