"""One test for each comparison: what a comparison sets apart becomes comparisons of their own."""

from __future__ import annotations

import itertools

from dgr.claims.comparisons import AnyComparison, PairedComparison, StudyComparison
from dgr.claims.schema import Claim
from dgr.records.names import KNOWN_CLASSIFIERS, KNOWN_METHODS, classifier_label, method_label


def own_tests(claim: Claim) -> Claim:
    """The claim with one comparison for each test.

    ``each: [method]`` gives one for each method, with the method's name after the comparison's id: ``C5a-pcgrad``. So
    do classifiers, and the references of a study where there are several. The family stays the claim.
    """
    return claim.model_copy(update={"comparisons": [one for each in claim.comparisons for one in _members(each)]})


def _members(comparison: AnyComparison) -> list[AnyComparison]:
    if isinstance(comparison, StudyComparison) and len(comparison.references) > 1:
        return [_named(comparison, [name], {"references": [name]}) for name in comparison.references]
    if not isinstance(comparison, PairedComparison) or not comparison.each:
        return [comparison]
    methods = comparison.methods if "method" in comparison.each else [None]
    classifiers = comparison.classifiers if "classifier" in comparison.each else [None]
    return [
        _named(
            comparison,
            [name for name in (method, classifier) if name],
            {
                "each": [],
                **({"methods": [method]} if method else {}),
                **({"classifiers": [classifier]} if classifier else {}),
            },
        )
        for method, classifier in itertools.product(methods, classifiers)
    ]


def _named(comparison: AnyComparison, names: list[str], changes: dict[str, object]) -> AnyComparison:
    labels = ", ".join(map(_label, names))
    told = {"id": "-".join([comparison.id, *names]), "question": f"{comparison.question}: {labels}"}
    return comparison.model_copy(update={**changes, **told})


def _label(name: str) -> str:
    if name in KNOWN_CLASSIFIERS:
        return classifier_label(name)
    return method_label(name) if name in KNOWN_METHODS else name.replace("_", " ")
