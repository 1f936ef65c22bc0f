# The public names, by room. ``dgr/__init__.py`` reads this list; type checkers and editors do too.

from dgr.comparison import (
    Comparison as Comparison,
    Planned as Planned,
    bootstrap_interval as bootstrap_interval,
    compare as compare,
    detectable_difference as detectable_difference,
    effect_size as effect_size,
    equivalence_p as equivalence_p,
    holm as holm,
    paired_differences as paired_differences,
    sign_flip_p as sign_flip_p,
    student_interval as student_interval,
    t_test_p as t_test_p,
    wilcoxon_p as wilcoxon_p,
)
from dgr.core.errors import DGRError as DGRError
from dgr.core.improvement import (
    mean_relative_improvement as mean_relative_improvement,
    relative_improvement as relative_improvement,
)
from dgr.core.seeds import seed_for as seed_for
from dgr.core.task import Task as Task
from dgr.measurements.probing import ProbeSamples as ProbeSamples, transfer_accuracies as transfer_accuracies
from dgr.measurements.universality import (
    Represented as Represented,
    Universality as Universality,
    measure_universality as measure_universality,
)
from dgr.methods.registry import METHODS as METHODS, build_method as build_method
from dgr.methods.shared.base import Method as Method, Step as Step
from dgr.models.model import MultiTaskModel as MultiTaskModel
from dgr.regularizers.shared.dummy_gradient_norm import DummyGradientNorm as DummyGradientNorm
from dgr.regularizers.shared.norm_penalty import FeatureNormPenalty as FeatureNormPenalty

__version__: str
