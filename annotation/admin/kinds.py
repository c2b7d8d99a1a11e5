"""The two kinds of table in the admin: those that may be edited by hand, and those that may not."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin


class Editable(ModelAdmin):
    """Rows may be changed, and deleted only where a subclass says so: others point to them."""

    list_per_page = 50
    show_full_result_count = False
    list_filter_sheet = False
    may_delete = False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_delete and super().has_delete_permission(request, obj)


class Readable(Editable):
    """Rows that are immutable, or that only the product's own code may write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Turns:
    """Shows `messages` as a dialogue."""

    def turns(self, row: Any) -> SafeString:
        return format_html_join(
            "",
            '<p class="whitespace-pre-wrap mb-4"><b>{}</b><br>{}</p>',
            ((message["role"], message["content"]) for message in row.messages),
        )
