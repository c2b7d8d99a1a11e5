"""The Celery application. Queues: default (bookkeeping), infer (models at rest), train."""

import os
import warnings

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("vibecheck")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Root in a container of its own is how many people run this.
warnings.filterwarnings("ignore", message="You're running the worker with superuser")
