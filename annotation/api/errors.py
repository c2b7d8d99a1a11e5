"""One shape for every error: {"error": {"code", "message", "field", "fix"}}."""

from math import ceil
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, serializers, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from annotation.refused import Refused


class ErrorSerializer(serializers.Serializer):
    class Body(serializers.Serializer):
        code = serializers.CharField()
        message = serializers.CharField()
        field = serializers.CharField(allow_blank=True)
        fix = serializers.CharField(allow_blank=True)

    error = Body()


def body(code: str, message: str, field: str = "", fix: str = "") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "field": field, "fix": fix}}


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every error leaves in the one shape."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(ceil(wait))
    code = error.status_code
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        code = status.HTTP_401_UNAUTHORIZED
    return Response(shape(error), status=code, headers=headers)


def shape(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, Refused):
        return body(error.code, error.message, error.field, error.fix)
    if isinstance(error, exceptions.ValidationError):
        field, message = first_problem(error.detail)
        return body("invalid", message, field, f"Correct {field}." if field else "")
    return body(str(error.get_codes()), str(error.detail))


def first_problem(detail: Any, path: str = "") -> tuple[str, str]:
    """The first field and sentence of DRF's nested validation detail."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        if name == "non_field_errors":
            return first_problem(inner, path)
        return first_problem(inner, f"{path}.{name}".lstrip("."))
    if isinstance(detail, list):
        position = next(i for i, item in enumerate(detail) if item)
        deeper = isinstance(detail[position], dict)
        return first_problem(detail[position], f"{path}.{position}" if deeper else path)
    return path, str(detail)
