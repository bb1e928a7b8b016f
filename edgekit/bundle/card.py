"""The card of a model: what it is for, what it cannot do, where its facts were read. It travels in the bundle.

Sizes are not in it: they follow from ``parameters`` (:mod:`edgekit.catalog.sizes`).
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, field

from edgekit.bundle.fields import Count, Line, MemberPath, Name, Strict, Text

Badge: TypeAlias = Annotated[str, Meta(max_length=48)]


class Accuracy(Strict, frozen=True):
    """A published or measured figure of one precision on one data set, e.g. ``top-1``, 75.1, ``%``, ``ImageNet``."""

    metric: Line
    value: float
    unit: Line
    data: Line
    precision: Line
    source: Line


class Speed(Strict, frozen=True):
    """Time of one piece of work on one device; measured and estimated are never mixed.

    Attributes:
        device: name of a device, e.g. ``pi5``.
        precision: of the weights, or the name of the variant that ran.
        ms: milliseconds for ``what``.
        what: the piece of work: ``a picture of 224 x 224``, ``a token``.
        source: of the figure; of an estimate, the rule it comes from.
        memory_bytes: at its peak, where it was measured.
    """

    device: Name
    precision: Line
    ms: Annotated[float, Meta(gt=0)]
    what: Line
    kind: Literal["measured", "estimated"]
    source: Line
    memory_bytes: Count | None = None


class Quoted(Strict, frozen=True):
    """A size that is commonly quoted and wrong.

    Attributes:
        said: the claim, in words.
        by: where one meets it.
        bytes: the claim in bytes.
        truth: the arithmetic that contradicts it.
    """

    said: Line
    by: Line
    bytes: Count
    truth: Text


class Card(Strict, frozen=True):
    """What the model is for, and what it cannot do.

    Attributes:
        title: as people call it.
        task: what it does, the bundle's task where there is one.
        domain: on what kind of inputs, in words.
        languages: BCP 47 tags, ``mul`` for many; empty where language plays no part.
        input_range: which inputs it takes.
        cannot: what it cannot do, each to be read after "cannot".
        license: of the weights.
        source: of the weights.
        parameters: of all its networks together, each shared tensor once.
        trained_on: on which data.
        notices: members with licence and attribution texts that must travel with the model.
        badge: what a person shall see first: ``signatures only``, ``English only``, ``general``.
        general: broad within its task, as a model that answers questions about any picture; a classifier of 1,000
            classes knows only those.
        subjects: what it finds, tells apart, reads or hears: lower case, singular.
        architecture: its family, and what sets its size.
        active_parameters: that one token uses, of a mixture of experts; null elsewhere.
        operations: multiply-accumulates of one input as ``sources`` describes it, or of one token.
        accuracy: figures with their sources.
        speed: times with their sources.
        quoted: sizes that are commonly quoted and wrong.
        hub: name on the Hugging Face hub, where the weights are there.
        no_recipe: why no recipe makes a bundle of it, where none does.
        sources: name of a field above → where it was read, or ``computed: …`` and from what.
    """

    title: Line
    task: Name
    domain: Line
    languages: tuple[Line, ...]
    input_range: Text
    cannot: tuple[Line, ...]
    license: Line
    source: Line
    parameters: Count
    trained_on: Text = ""
    notes: Text = ""
    notices: tuple[MemberPath, ...] = ()
    badge: Badge = ""
    general: bool = False
    subjects: Annotated[tuple[Line, ...], Meta(max_length=2048)] = ()
    architecture: Text = ""
    active_parameters: Count | None = None
    operations: Count | None = None
    accuracy: Annotated[tuple[Accuracy, ...], Meta(max_length=64)] = ()
    speed: Annotated[tuple[Speed, ...], Meta(max_length=64)] = ()
    quoted: Annotated[tuple[Quoted, ...], Meta(max_length=64)] = ()
    hub: Text = ""
    no_recipe: Text = ""
    sources: Annotated[dict[Name, Line], Meta(max_length=64)] = field(default_factory=dict)
