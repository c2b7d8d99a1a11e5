"""Lists that grow leave in pages, newest first: `?before=<next>` is the page after this one."""

from typing import Any

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request

from annotation.refused import Refused

SIZE = 50
BEFORE = OpenApiParameter("before", int, description="The next of the page before.")


def page(rows: QuerySet, request: Request) -> tuple[list[Any], int | None]:
    """Up to SIZE rows by descending id, and the `next` of the page after them."""
    before = request.query_params.get("before")
    if before is not None:
        if not before.isdecimal() or len(before) > 18:
            raise Refused(
                "invalid", f"before is {before[:40]!r}: it must be the next of a page.",
                field="before", fix="Leave it out for the first page.",
            )  # fmt: skip
        rows = rows.filter(pk__lt=int(before))
    found: list[Model] = list(rows.order_by("-pk")[: SIZE + 1])
    return found[:SIZE], found[SIZE - 1].pk if len(found) > SIZE else None


def page_of(
    row: type[serializers.Serializer], **extra: serializers.Field
) -> serializers.Serializer:
    """The schema of a page of such rows."""
    return inline_serializer(
        f"{row.__name__.removesuffix('Serializer')}Page",
        {"results": row(many=True), "next": serializers.IntegerField(allow_null=True), **extra},
    )


def list_of(row: type[serializers.Serializer]) -> serializers.Serializer:
    """The schema of a list that does not grow."""
    return inline_serializer(
        f"{row.__name__.removesuffix('Serializer')}List", {"results": row(many=True)}
    )
