"""The addresses of people's work, under /api/."""

from django.urls import path

from annotation.api import (
    asked,
    events,
    export,
    gap,
    guidelines,
    invitations,
    label,
    members,
    projects,
    session,
    tokens,
    writing,
)

urlpatterns = [
    path("session/", session.Session.as_view(), name="session"),
    path("session/password/", session.Password.as_view(), name="password"),
    path("session/reset/", session.Reset.as_view(), name="reset"),
    path("session/reset/confirm/", session.ResetConfirm.as_view(), name="reset_confirm"),
    path("tokens/", tokens.Tokens.as_view(), name="tokens"),
    path("tokens/<str:key>/", tokens.TokenDetail.as_view(), name="token"),
    path("invitations/<str:key>/", invitations.Join.as_view(), name="join"),
    path("projects/", projects.Projects.as_view(), name="projects"),
    path("projects/<slug:slug>/", projects.ProjectDetail.as_view(), name="project"),
    path("projects/<slug:slug>/state/", projects.ProjectState.as_view(), name="state"),
    path(
        "projects/<slug:slug>/guidelines/",
        guidelines.GuidelinesVersions.as_view(),
        name="guidelines",
    ),
    path(
        "projects/<slug:slug>/guidelines/acknowledge/",
        guidelines.Acknowledge.as_view(),
        name="acknowledge",
    ),
    path("projects/<slug:slug>/members/", members.Members.as_view(), name="members"),
    path("projects/<slug:slug>/members/<int:id>/", members.MemberDetail.as_view(), name="member"),
    path(
        "projects/<slug:slug>/members/<int:id>/reset/",
        members.MemberReset.as_view(),
        name="member_reset",
    ),
    path(
        "projects/<slug:slug>/invitations/",
        invitations.Invitations.as_view(),
        name="invitations",
    ),
    path(
        "projects/<slug:slug>/invitations/<int:id>/",
        invitations.InvitationDetail.as_view(),
        name="invitation",
    ),
    path("projects/<slug:slug>/prompts/", asked.Prompts.as_view(), name="prompts"),
    path("projects/<slug:slug>/comparisons/", asked.Comparisons.as_view(), name="comparisons"),
    path("projects/<slug:slug>/preferences/", asked.Preferences.as_view(), name="preferences"),
    path("projects/<slug:slug>/gap/", gap.Gap.as_view(), name="gap"),
    path("projects/<slug:slug>/events/", events.Events.as_view(), name="events"),
    path("projects/<slug:slug>/assignments/", label.Assignments.as_view(), name="assignments"),
    path("projects/<slug:slug>/answers/", label.Answers.as_view(), name="answers"),
    path("projects/<slug:slug>/progress/", label.Progress.as_view(), name="progress"),
    path(
        "projects/<slug:slug>/preferences/export/",
        export.ExportPreferences.as_view(),
        name="export_preferences",
    ),
    path("assignments/<str:key>/", label.AssignmentDetail.as_view(), name="assignment"),
    path("assignments/<str:key>/renew/", label.Renew.as_view(), name="renew"),
    path("assignments/<str:key>/release/", label.Release.as_view(), name="release"),
    path("assignments/<str:key>/skip/", label.Skip.as_view(), name="skip"),
    path("assignments/<str:key>/resume/", label.Resume.as_view(), name="resume"),
    path(
        "assignments/<str:key>/demonstration/",
        writing.Demonstration.as_view(),
        name="demonstration",
    ),
    path("assignments/<str:key>/draft/", label.Draft.as_view(), name="draft"),
    path("assignments/<str:key>/preference/", label.SubmitPreference.as_view(), name="preference"),
    path("assignments/<str:key>/retract/", label.Retract.as_view(), name="retract"),
]
