"""The addresses of models, under /api/."""

from django.urls import path

from rewardtrain.api import (
    arena,
    batches,
    circle,
    learnt,
    loop,
    models,
    runs,
    scorings,
    spare,
    talk,
)

urlpatterns = [
    path("projects/<slug:slug>/circle/", circle.Circle.as_view(), name="circle"),
    path("projects/<slug:slug>/learnt/", learnt.Learnt.as_view(), name="learnt"),
    path("projects/<slug:slug>/runs/", runs.Runs.as_view(), name="runs"),
    path("projects/<slug:slug>/spare/", spare.SpareCheckpoints.as_view(), name="spare"),
    path("runs/<int:pk>/", runs.RunDetail.as_view(), name="run"),
    path("runs/<int:pk>/metrics/", runs.RunMetrics.as_view(), name="run-metrics"),
    path("runs/<int:pk>/log/", runs.RunLog.as_view(), name="run-log"),
    path("runs/<int:pk>/samples/", runs.RunSamples.as_view(), name="run-samples"),
    path("runs/<int:pk>/cancel/", runs.CancelRun.as_view(), name="run-cancel"),
    path("runs/<int:pk>/retry/", runs.RetryRun.as_view(), name="run-retry"),
    path("projects/<slug:slug>/models/", models.Versions.as_view(), name="models"),
    path("models/<int:pk>/", models.VersionDetail.as_view(), name="model"),
    path("models/<int:pk>/matches/", arena.Matches.as_view(), name="model-matches"),
    path("models/<int:pk>/promote/", models.Promote.as_view(), name="model-promote"),
    path("models/<int:pk>/scorings/", scorings.Scorings.as_view(), name="model-scorings"),
    path("scorings/<int:pk>/", scorings.ScoringDetail.as_view(), name="scoring"),
    path("models/<int:pk>/archive/", models.Archive.as_view(), name="model-archive"),
    path("batches/<int:pk>/", batches.BatchDetail.as_view(), name="batch"),
    path(
        "batches/<int:pk>/preferences/",
        batches.BatchPreferences.as_view(),
        name="batch-preferences",
    ),
    path("projects/<slug:slug>/arena/", arena.Arena.as_view(), name="arena"),
    path("projects/<slug:slug>/loop/", loop.Loop.as_view(), name="loop"),
    path("projects/<slug:slug>/model-checks/", loop.ModelChecks.as_view(), name="model-checks"),
    path("model-checks/<int:pk>/", loop.ModelCheckDetail.as_view(), name="model-check"),
    path("projects/<slug:slug>/talks/", talk.Talks.as_view(), name="talks"),
    path("talks/<str:key>/", talk.TalkDetail.as_view(), name="talk"),
    path("talks/<str:key>/draft/", talk.TalkDraft.as_view(), name="talk-draft"),
    path("talks/<str:key>/turns/", talk.TalkTurns.as_view(), name="talk-turns"),
    path("talks/<str:key>/again/", talk.TalkAgain.as_view(), name="talk-again"),
]
