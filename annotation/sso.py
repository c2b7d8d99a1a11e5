"""Sign-in at an OpenID Connect provider, where one is configured (SSO_ISSUER).

Whoever the provider vouches for may sign in to an account that exists; a new account takes an
invitation, as it does with a password: the sign-in must have started on its page, /join/<key>.
Who has a password already adds the provider by its address with `?process=connect`.
"""

import re
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.urls import reverse

from annotation.invitations import usable_invitation


def sign_in_choices() -> list[dict[str, str]]:
    """What the sign-in page offers besides a password; `?next=` names the page to return to."""
    if not settings.SSO_ISSUER:
        return []
    url = reverse("openid_connect_login", kwargs={"provider_id": "sso"})
    return [{"name": settings.SSO_NAME, "url": url}]


class InvitedOnly(DefaultSocialAccountAdapter):
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        connecting = sociallogin.state.get("process") == AuthProcess.CONNECT
        if sociallogin.is_existing or connecting or self.is_open_for_signup(request, sociallogin):
            return
        raise ImmediateHttpResponse(HttpResponseRedirect("/sign-in?sso=not-invited"))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        invited = re.fullmatch(r"/join/([\w-]+)", sociallogin.state.get("next") or "")
        if invited is None:
            return False
        try:
            usable_invitation(invited[1])
        except Http404:
            return False
        return True

    def on_authentication_error(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        raise ImmediateHttpResponse(HttpResponseRedirect("/sign-in?sso=failed"))
