"""The Celery application.

Queues: default (bookkeeping), infer (runs of models at rest), live (what somebody waits for on a
page, from models that stay loaded), train.
"""

import os
import warnings

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("vibecheck")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Root in a container of its own is how many people run this.
warnings.filterwarnings("ignore", message="You're running the worker with superuser")
