"""The addresses of people's work, under /api/."""

from django.urls import path

from annotation.api import export, label

urlpatterns = [
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
    path("assignments/<str:key>/draft/", label.Draft.as_view(), name="draft"),
    path("assignments/<str:key>/preference/", label.SubmitPreference.as_view(), name="preference"),
    path("assignments/<str:key>/retract/", label.Retract.as_view(), name="retract"),
]
