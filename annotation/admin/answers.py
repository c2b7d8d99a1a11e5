"""Assignments, answers and batches: written by the queue and by labelers, read here."""

from django.contrib import admin

from annotation.admin.kinds import Readable
from annotation.models import Alarm, Assignment, Batch, BatchItem, Demonstration, Preference


@admin.register(Assignment)
class AssignmentAdmin(Readable):
    list_display = ["key", "labeler", "comparison", "state", "expires_at", "shown_at"]
    list_filter = ["state", "comparison__project"]
    search_fields = ["key", "labeler__username", "comparison__sha256"]
    list_select_related = ["labeler", "comparison__prompt"]


@admin.register(Preference)
class PreferenceAdmin(Readable):
    list_display = [
        "id",
        "project",
        "labeler",
        "outcome",
        "strength",
        "origin",
        "revision",
        "retracted",
        "surplus",
        "created_at",
    ]
    list_filter = ["outcome", "origin", "retracted", "surplus", "project"]
    search_fields = ["labeler__username", "rationale", "idempotency_key"]
    list_select_related = ["project", "labeler"]


@admin.register(Alarm)
class AlarmAdmin(Readable):
    list_display = ["project", "labeler", "note", "created_at", "ended_at", "ended_by"]
    list_filter = ["project"]
    search_fields = ["note", "labeler__username"]
    list_select_related = ["project", "labeler", "ended_by"]


@admin.register(Demonstration)
class DemonstrationAdmin(Readable):
    list_display = ["id", "project", "author", "how", "__str__", "created_at"]
    list_filter = ["how", "project"]
    search_fields = ["text", "author__username"]
    list_select_related = ["project", "author"]


@admin.register(Batch)
class BatchAdmin(Readable):
    list_display = ["project", "number", "size", "fresh", "simulated", "sha256", "created_at"]
    list_filter = ["simulated", "project"]
    search_fields = ["sha256", "project__name", "project__slug"]
    list_select_related = ["project"]
    fields = ["project", "number", "size", "fresh", "sha256", "simulated", "created_by"]


@admin.register(BatchItem)
class BatchItemAdmin(Readable):
    list_display = ["batch", "place", "preference"]
    list_filter = ["batch__project"]
    search_fields = ["batch__sha256", "preference__labeler__username"]
    list_select_related = ["batch__project", "preference__labeler"]
