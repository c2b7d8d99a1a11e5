"""The admin over every table: it opens, is searched, and leaves alone what is immutable."""

import uuid

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotation.models import (
    Batch,
    BatchItem,
    Comparison,
    ComparisonResponse,
    Event,
    Preference,
    Project,
    Prompt,
    Response,
)
from tests.cast import Person

OURS = [
    model
    for app in ("annotation", "rewardtrain")
    for model in apps.get_app_config(app).get_models()
    if not model._meta.auto_created
]
IMMUTABLE = [Preference, Batch, BatchItem, ComparisonResponse, Event, Prompt, Response]


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def page_of(model: type, verb: str = "changelist", *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{verb}", args=args)


def test_every_table_of_ours_is_registered_searchable_and_filtered() -> None:
    for model in OURS:
        registered = admin.site.get_model_admin(model)
        assert registered.search_fields, model
        assert registered.list_filter or registered.date_hierarchy, model


def test_every_table_opens_is_searched_and_shows_a_row(everything: dict, root: Client) -> None:
    for model in OURS:
        row = model.objects.first()
        assert row is not None, f"{model} has no row in this test"
        for address in (
            page_of(model),
            page_of(model) + "?q=a",
            page_of(model, "change", row.pk),
            page_of(model, "history", row.pk),
        ):
            assert root.get(address).status_code == 200, address
    assert b"Not found" not in root.get("/admin/").content


def test_tables_that_packages_bring_open_too(root: Client) -> None:
    for model in admin.site._registry:
        assert root.get(page_of(model)).status_code == 200, model


@pytest.mark.parametrize(("model", "text"), [(Prompt, "Moss"), (Response, "ribbon")])
def test_texts_are_found_by_their_words(
    model: type, text: str, project: Project, root: Client
) -> None:
    assert b"1 result" in root.get(page_of(model), {"q": text}).content
    assert b"0 results" in root.get(page_of(model), {"q": "nowhere to be found"}).content


@pytest.mark.parametrize("model", IMMUTABLE)
def test_an_immutable_row_can_only_be_read(model: type, everything: dict, root: Client) -> None:
    row = model.objects.first()
    before = model.objects.values().get(pk=row.pk)
    count = model.objects.count()
    assert root.get(page_of(model, "add")).status_code == 403
    assert root.post(page_of(model, "change", row.pk), {"outcome": "tie"}).status_code == 403
    assert root.post(page_of(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    root.post(page_of(model), selected)
    assert model.objects.values().get(pk=row.pk) == before
    assert model.objects.count() == count


def test_a_dialogue_is_shown_turn_by_turn(project: Project, root: Client) -> None:
    prompt = Prompt.objects.first()
    shown = root.get(page_of(Prompt, "change", prompt.pk)).content.decode()
    assert f"<b>user</b><br>{prompt.messages[0]['content']}</p>" in shown


def test_markup_in_a_text_is_shown_not_run(project: Project, root: Client) -> None:
    prompt = Prompt.objects.create(
        project=project,
        messages=[{"role": "user", "content": "<script>alert(1)</script>"}],
        sha256=uuid.uuid4().hex,
        thread_root="0",
        split="train",
    )
    shown = root.get(page_of(Prompt, "change", prompt.pk)).content
    assert b"<script>alert" not in shown
    assert b"&lt;script&gt;alert" in shown


def test_a_comparisons_priority_is_set_by_hand_its_counters_are_not(
    project: Project, root: Client
) -> None:
    comparison = Comparison.objects.first()
    sent = {
        "state": "closed",
        "priority": "5",
        "done": "1",
        "reserved_for": "",
        "places-TOTAL_FORMS": "0",
        "places-INITIAL_FORMS": "0",
    }
    answer = root.post(page_of(Comparison, "change", comparison.pk), sent)
    assert answer.status_code == 302, answer.content
    comparison.refresh_from_db()
    assert (comparison.state, comparison.priority, comparison.done) == ("closed", 5, 0)


def test_an_account_is_made_closed_and_never_deleted(root: Client) -> None:
    password = {"usable_password": "true", "password1": "seven quiet herons"}
    made = root.post(
        page_of(User, "add"),
        {"username": "nora", **password, "password2": password["password1"]},
    )
    assert made.status_code == 302, made.content
    nora = User.objects.get(username="nora")
    assert root.get(page_of(User, "delete", nora.pk)).status_code == 403
    root.post(page_of(User, "change", nora.pk), {"username": "nora"})
    nora.refresh_from_db()
    assert not nora.is_active


def test_members_and_staff_are_kept_out_of_tables(maya: Person, otto: Person) -> None:
    otto.user.is_staff = True
    otto.user.save()
    assert maya.api.get("/admin/").status_code == 302
    assert otto.api.get(page_of(Preference)).status_code == 403


def test_only_the_admin_relaxes_the_content_security_policy(root: Client) -> None:
    relaxed = root.get("/admin/")["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in relaxed
    assert "style-src 'self' 'unsafe-inline'" in relaxed
    assert "default-src 'self'" in relaxed
    assert "frame-ancestors 'none'" in relaxed
    strict = root.get("/api/session/")["Content-Security-Policy"]
    assert "unsafe" not in strict
