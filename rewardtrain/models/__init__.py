"""The tables of models: what is learnt from the preferences."""

from rewardtrain.models.loop import Decision, LoopPolicy, Round
from rewardtrain.models.runs import Metric, Run
from rewardtrain.models.scorings import Scoring
from rewardtrain.models.talks import Talk, Turn
from rewardtrain.models.versions import Generation, Match, ModelCheck, ModelVersion, Score, Suspect

__all__ = [
    "Decision",
    "Generation",
    "LoopPolicy",
    "Match",
    "Metric",
    "ModelCheck",
    "ModelVersion",
    "Round",
    "Run",
    "Score",
    "Scoring",
    "Suspect",
    "Talk",
    "Turn",
]
