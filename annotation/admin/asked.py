"""Prompts, responses and comparisons. What people were shown cannot be rewritten."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import TabularInline

from annotation.admin.kinds import Editable, Readable, Turns
from annotation.models import Comparison, ComparisonResponse, Prompt, Response


@admin.register(Prompt)
class PromptAdmin(Turns, Readable):
    list_display = ["id", "__str__", "project", "split", "source", "created_at"]
    list_display_links = ["id", "__str__"]
    list_filter = ["split", "project"]
    search_fields = ["messages", "source", "sha256"]
    list_select_related = ["project"]
    fields = [
        "project",
        "turns",
        "split",
        "source",
        "checks",
        "parent",
        "sha256",
        "thread_root",
        "created_at",
    ]


@admin.register(Response)
class ResponseAdmin(Turns, Readable):
    list_display = ["id", "__str__", "prompt", "created_at"]
    list_display_links = ["id", "__str__"]
    list_filter = ["prompt__project"]
    search_fields = ["messages", "sha256"]
    list_select_related = ["prompt"]
    fields = ["prompt", "turns", "sha256", "created_at"]


class PlaceInline(TabularInline):
    model = ComparisonResponse
    extra = 0
    can_delete = False
    tab = False

    def has_add_permission(self, request: HttpRequest, obj: Comparison | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Comparison | None = None) -> bool:
        return False


@admin.register(Comparison)
class ComparisonAdmin(Editable):
    """State and priority are a person's to set; the counters are the queue's."""

    list_display = ["id", "prompt", "project", "kind", "state", "priority", "done", "wanted"]
    list_filter = ["kind", "state", "project"]
    search_fields = ["prompt__messages", "sha256"]
    list_select_related = ["project", "prompt"]
    inlines = [PlaceInline]
    raw_id_fields = ["reserved_for"]
    by_hand = ("state", "priority", "reserved_for")

    def get_readonly_fields(self, request: HttpRequest, obj: Comparison | None = None) -> list[str]:
        fields = [field.name for field in Comparison._meta.concrete_fields]
        return [name for name in fields if name not in self.by_hand]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(ComparisonResponse)
class ComparisonResponseAdmin(Readable):
    list_display = ["comparison", "place", "response"]
    list_filter = ["comparison__project"]
    search_fields = ["response__messages", "comparison__sha256"]
    list_select_related = ["comparison__prompt", "response"]
