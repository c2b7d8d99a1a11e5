"""The admin's content security policy, and no other page's (docs/decisions/0002-admin-csp.md)."""

from collections.abc import Callable

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest
from django.http.response import HttpResponseBase

View = Callable[[HttpRequest], HttpResponseBase]


def admin_csp(get_response: View) -> View:
    relaxed = csp_update({"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]})(get_response)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return (relaxed if request.path.startswith("/admin/") else get_response)(request)

    return middleware
