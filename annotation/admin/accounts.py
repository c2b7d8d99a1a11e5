"""Accounts, and the tables of sign-in that other packages bring, drawn like ours."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from annotation.admin.kinds import Editable, Readable
from annotation.models import ApiToken, Event, OwnKeys

# Roles come by membership, providers by SSO_ISSUER; tokens of providers are not kept.
for unused in (Group, SocialApp, SocialToken, EmailAddress, ClockedSchedule, SolarSchedule):
    admin.site.unregister(unused)

for model in (
    AccessAttempt,
    AccessFailureLog,
    AccessLog,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SocialAccount,
):
    plain = type(admin.site.get_model_admin(model))
    admin.site.unregister(model)
    admin.site.register(model, type(plain.__name__, (plain, ModelAdmin), {}))

admin.site.unregister(User)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, Editable):
    """An account is closed by taking "active" away; its answers stay."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "first_name", "email", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password", "first_name", "last_name", "email"]}),
        (
            "Rights",
            {
                "fields": ["is_active", "is_staff", "is_superuser"],
                "description": "Staff may create projects. Superusers may use this admin.",
            },
        ),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]


@admin.register(ApiToken)
class ApiTokenAdmin(Readable):
    may_delete = True
    list_display = ["token_key", "name", "user", "created", "expiry"]
    search_fields = ["token_key", "name", "user__username"]
    fields = ["token_key", "name", "user", "created", "expiry"]
    list_select_related = ["user"]
    date_hierarchy = "created"


@admin.register(OwnKeys)
class OwnKeysAdmin(Readable):
    may_delete = True
    list_display = ["user", "keys"]
    list_filter = ["user__is_active"]
    search_fields = ["user__username"]
    list_select_related = ["user"]


@admin.register(Event)
class EventAdmin(Readable):
    list_display = ["created_at", "project", "actor", "verb", "subject"]
    list_filter = ["verb", "project"]
    search_fields = ["subject", "verb", "actor__username", "project__slug"]
    list_select_related = ["project", "actor"]
