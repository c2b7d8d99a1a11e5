"""Accounts: how one comes to be, proves who it is, and gets a new password."""

from datetime import timedelta

from axes.helpers import get_client_ip_address, get_client_parameters, get_cool_off
from axes.models import AccessAttempt
from axes.utils import reset as reset_lockout
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from annotation.access import Visitor
from annotation.api.errors import body
from annotation.events import record
from annotation.models import ApiToken, Membership
from annotation.models.projects import Role
from annotation.refused import Refused


def open_account(
    *, username: str, password: str | None, name: str = "", email: str = "", **rights: bool
) -> User:
    """A new account; without a password it can be entered by a reset link only.

    Raises:
        Refused: the name is taken or malformed, or the password is too weak.
    """
    user = get_user_model()(username=username, first_name=name, email=email, **rights)
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        field, problems = next(iter(error.message_dict.items()))
        raise Refused(
            "invalid", problems[0], field=field, fix="Choose another name, such as lena.b"
        ) from None
    if password is None:
        user.set_unusable_password()
    else:
        check_password_strength(password, user, "password")
        user.set_password(password)
    taken = Refused(
        "taken",
        f"The name {username} is taken.",
        field="username",
        fix="Choose another name, or sign in if it is yours.",
    )
    if get_user_model().objects.filter(username__iexact=username).exists():
        raise taken
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise taken from None
    return user


def check_password_strength(password: str, user: User, field: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused(
            "weak_password",
            " ".join(error.messages),
            field=field,
            fix="Take three or four words that only you would put together.",
        ) from None


@transaction.atomic
def set_password(*, user: User, password: str, field: str = "new_password") -> None:
    """Every other session and every token of the account ends with the old password."""
    check_password_strength(password, user, field)
    user.set_password(password)
    user.save(update_fields=["password"])
    ApiToken.objects.filter(user=user).delete()
    record(project=None, actor=user, verb="changed password", subject=f"account {user.username}")


def reset_path(user: User) -> str:
    """The page on which this person, and whoever holds the link, can set a new password once."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return f"/reset/{uid}/{default_token_generator.make_token(user)}"


def user_of_reset(uid: str, token: str) -> User:
    """Raises Refused when the link was used, is too old, or never was one."""
    try:
        pk = int(urlsafe_base64_decode(uid))
    except (ValueError, OverflowError):
        pk = 0
    user = get_user_model().objects.filter(pk=pk, is_active=True).first()
    if user is None or not default_token_generator.check_token(user, token):
        raise Refused(
            "link_expired",
            "This link was used already, or is older than a day.",
            field="token",
            fix="Ask for a new one.",
        )
    return user


def mail_reset_link(email: str) -> None:
    """Mail every account with this address its link; say nothing of whether there is one."""
    if not settings.MAIL_CONFIGURED:
        return
    form = PasswordResetForm({"email": email})
    if form.is_valid():
        form.save(
            domain_override=settings.SITE_ROOT.partition("://")[2],
            use_https=settings.SITE_ROOT.startswith("https"),
            subject_template_name="annotation/reset_subject.txt",
            email_template_name="annotation/reset_mail.txt",
        )


def reset_link_for_member(*, membership: Membership, actor: Visitor) -> str:
    """The path of a link that a manager hands to a member who forgot the password.

    Raises:
        Refused: the account reaches further than the manager does; a link to it would too.
    """
    assert actor.is_authenticated
    member = membership.user
    managed = Membership.objects.filter(user_id=actor.pk, role=Role.MANAGER).values("project")
    beyond = Membership.objects.filter(user=member).exclude(project__in=managed)
    if member.is_staff or member.is_superuser or beyond.exists():
        raise Refused(
            "not_yours_alone",
            f"{member.username} also has rights that you do not have, so the link is not yours "
            "to make.",
            fix="Ask whoever runs this server for bin/manage reset_link.",
            status_code=403,
        )
    record(
        project=membership.project,
        actor=actor,
        verb="made a reset link",
        subject=f"member {member.username}",
    )
    return reset_path(member)


@transaction.atomic
def reset_password(*, uid: str, token: str, password: str) -> User:
    """Set the password by a link; who was locked out by guessing at the old one may come in."""
    user = user_of_reset(uid, token)
    set_password(user=user, password=password)
    reset_lockout(username=user.username)
    return user


def may_create_projects(user: User | AnonymousUser) -> bool:
    if not user.is_authenticated:
        return False
    return user.is_staff or Membership.objects.filter(user_id=user.pk, role=Role.MANAGER).exists()


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict | None
) -> HttpResponse:
    """What django-axes answers after too many wrong passwords, with the seconds that are left."""
    seconds = seconds_locked_out(request, credentials or {})
    message = f"Too many wrong passwords. Try again in {-(-seconds // 60)} minutes."
    headers = {"Retry-After": str(seconds)}
    if request.path.startswith("/api/"):
        fix = "Wait, or ask a manager for a reset link."
        return JsonResponse(body("locked_out", message, fix=fix), status=429, headers=headers)
    return HttpResponse(message, status=429, headers=headers, content_type="text/plain")


def seconds_locked_out(request: HttpRequest, credentials: dict) -> int:
    cool_off = get_cool_off(request) or timedelta()
    [which] = get_client_parameters(
        credentials.get("username", ""), get_client_ip_address(request), "", request, credentials
    )
    last = AccessAttempt.objects.filter(**which).order_by("-attempt_time").first()
    ends = (last.attempt_time if last else timezone.now()) + cool_off
    return max(1, round((ends - timezone.now()).total_seconds()))
