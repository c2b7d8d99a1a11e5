"""The Celery application. Queues: default (bookkeeping), infer (models at rest), train."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("vibecheck")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
