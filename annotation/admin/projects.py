"""Projects, their guidelines, and who belongs to them."""

from django.contrib import admin
from django.http import HttpRequest

from annotation.admin.kinds import Editable, Readable
from annotation.models import Acknowledgement, Guidelines, Invitation, Membership, Project


@admin.register(Project)
class ProjectAdmin(Editable):
    """What prompts were split by and answers were given in is fixed, as it is in the browser."""

    list_display = ["name", "slug", "state", "response_form", "simulated", "created_at"]
    list_filter = ["state", "response_form", "simulated", "modality"]
    search_fields = ["name", "slug"]
    readonly_fields = [
        "slug",
        "state",
        "modality",
        "response_form",
        "heldout_share",
        "write_first_share",
        "write_first_since",
        "simulated",
        "created_by",
        "created_at",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Guidelines)
class GuidelinesAdmin(Readable):
    list_display = ["project", "version", "author", "created_at"]
    list_filter = ["project"]
    search_fields = ["project__name", "project__slug", "text"]
    list_select_related = ["project", "author"]


@admin.register(Acknowledgement)
class AcknowledgementAdmin(Readable):
    list_display = ["labeler", "guidelines", "created_at"]
    list_filter = ["guidelines__project"]
    search_fields = ["labeler__username", "guidelines__project__slug"]
    list_select_related = ["labeler", "guidelines__project"]


@admin.register(Membership)
class MembershipAdmin(Editable):
    may_delete = True
    list_display = ["user", "project", "role", "simulated", "created_at"]
    list_filter = ["role", "simulated", "project"]
    search_fields = ["user__username", "user__first_name", "project__name", "project__slug"]
    list_select_related = ["user", "project"]
    raw_id_fields = ["user", "project"]


@admin.register(Invitation)
class InvitationAdmin(Editable):
    """Its link was shown once and cannot be found again here."""

    list_display = ["project", "role", "seats", "used", "expires_at", "revoked", "created_by"]
    list_filter = ["revoked", "role", "project"]
    search_fields = ["project__name", "project__slug", "created_by__username"]
    list_select_related = ["project", "created_by"]
    fields = ["project", "role", "seats", "used", "expires_at", "revoked", "created_by"]
    readonly_fields = ["project", "role", "used", "created_by"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
