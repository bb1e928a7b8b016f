"""Turns of a conversation become one text, by the Jinja template that the model was trained with.

A template is a stranger's program. It runs in jinja2's sandbox with what templates use and no more: its loops, calls
and texts are counted, and what could make much of little (repetition, formatting, powers) is refused.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from edgekit.bundle.messages import printable
from edgekit.errors import BundleError, DataError, EnvironmentLacks

try:
    from jinja2 import nodes
    from jinja2.exceptions import SecurityError, TemplateError
    from jinja2.ext import Extension
    from jinja2.parser import Parser
    from jinja2.runtime import Context
    from jinja2.sandbox import ImmutableSandboxedEnvironment
except ImportError as error:
    raise EnvironmentLacks(f"chat template: {error}", "pip install 'edgekit[text]'") from error

MAX_TEMPLATE_CHARACTERS = 256 * 1024
MAX_CHARACTERS = 4_000_000
"""Of any text that a template makes on its way; conversations are far shorter."""

MAX_STEPS = 50_000
"""Turns of loops, calls and operations together."""

MAX_WEIGHT = 100_000
"""Of a list or dictionary that a template makes: its items and theirs, each as often as it is named."""

MAX_S = 5.0
"""Of the processor: a machine that stands still meanwhile is not the template's fault."""

FILTERS = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int", "items", "last", "length",
    "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "string",
    "title", "trim", "unique", "upper",
)  # fmt: skip
"""jinja2's own; ``join``, ``replace`` and ``tojson`` are ours. What pads, formats, wraps or sums is not among them."""

TEXT_METHODS = frozenset(
    ["capitalize", "count", "endswith", "find", "index", "isalpha", "isdigit", "isspace", "isupper", "join", "lower",
     "lstrip", "partition", "replace", "rfind", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith",
     "strip", "title", "upper"]
)  # fmt: skip

Message = Mapping[str, Any]
"""Of a conversation: ``role`` and ``content``, and what else a template knows."""


class ChatTemplate:
    """A compiled template.

    Args:
        source: Jinja, as transformers has it in ``chat_template``.
        names: special tokens that it may name, such as ``bos_token`` → text.

    Raises:
        BundleError: it is no template, too long, or uses what is refused.
        EnvironmentLacks: jinja2 is not installed.
    """

    def __init__(self, source: str, names: Mapping[str, str]) -> None:
        if len(source) > MAX_TEMPLATE_CHARACTERS:
            raise BundleError(
                f"chat template: {len(source)} characters, expected up to {MAX_TEMPLATE_CHARACTERS}"
            )
        self._names = dict(names)
        try:
            self._environment = _Environment()
            self._template = self._environment.from_string(source)
        except (TemplateError, RecursionError, SyntaxError, ValueError, MemoryError, OverflowError) as error:
            raise BundleError(f"chat template: {printable(str(error))}") from error

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool = True) -> str:
        """The text of a conversation.

        Args:
            messages: its turns, each with ``role`` and ``content``.
            add_generation_prompt: whether the text goes on to where the model answers.

        Raises:
            DataError: the template refuses these turns.
            BundleError: it fails, or makes too much.
        """
        environment, made = self._environment, []
        environment.begin()
        given = {**self._names, "messages": list(messages), "add_generation_prompt": add_generation_prompt}
        try:
            for piece in self._template.generate(given):
                environment.spend(1, piece)
                made.append(piece)
        except _RefusedError as error:
            raise DataError(f"chat template: {printable(str(error))}", "give it other turns") from error
        except BundleError:
            raise
        except Exception as error:  # a stranger's program may raise anything
            raise BundleError(f"chat template: {printable(str(error))}") from error
        return "".join(made)


class _RefusedError(TemplateError):
    """The template itself called ``raise_exception``."""


class _GenerationBlock(Extension):
    """``{% generation %}`` marks what the model said, for training; here it means nothing."""

    tags = frozenset({"generation"})  # type: ignore[assignment]  # jinja2 only looks in it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The block's body."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox that counts."""

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)

    def __init__(self) -> None:
        # As transformers makes it (utils/chat_template_utils.py), but for what templates of others may not do.
        extensions = (_GenerationBlock, "jinja2.ext.loopcontrols")
        super().__init__(trim_blocks=True, lstrip_blocks=True, optimized=False, extensions=extensions)
        inner = {name: self.filters[name] for name in FILTERS}
        self.filters = {name: self._spending(made) for name, made in inner.items()}
        self.filters |= {
            "tojson": self._tojson, "replace": self._replace, "join": self._join,
            "edgekit_each": self._each, "edgekit_joined": self._joined, "edgekit_part": self._part,
            "edgekit_held": self._held,
        }  # fmt: skip
        self.globals = {
            "range": self.globals["range"], "namespace": self.globals["namespace"], "dict": dict,
            "raise_exception": _raise, "strftime_now": _strftime_now,
        }  # fmt: skip
        self.begin()

    def begin(self) -> None:
        """A new count."""
        self._steps, self._end = 0, time.thread_time() + MAX_S
        self._made = 0

    def spend(self, steps: int = 1, made: object = None) -> None:
        """Counts work, and looks at what it made."""
        self._steps += steps
        if isinstance(made, str):
            self._steps += len(made) // 1024
            self._made = max(self._made, len(made))
        elif isinstance(made, list | tuple | dict):
            self._steps += _weight(made) // 64
        if self._steps > MAX_STEPS or self._made > MAX_CHARACTERS or time.thread_time() > self._end:
            raise BundleError("chat template: it makes too much, or does not end")

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Loops, slices and ``~`` become filters of ours, which count; nothing loads other templates."""
        tree = super()._parse(source, name, filename)
        for kind in (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends):
            if tree.find(kind) is not None:
                raise SecurityError(f"names another template ({kind.__name__.lower()})")
        for loop in tree.find_all(nodes.For):
            loop.iter = _filtered("edgekit_each", loop.iter)
        _replace_nodes(tree)
        return tree

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ANN401
        """Of texts only what looks or cuts; of the rest what the sandbox allows."""
        if isinstance(obj, str):
            return attr in TEXT_METHODS
        return super().is_safe_attribute(obj, attr, value) and not isinstance(obj, bytes | int | float | type)

    def wrap_str_format(self, value: Any) -> None:  # noqa: ANN401
        """Nothing: ``str.format`` pads as wide as it is told, so :meth:`is_safe_attribute` refuses it."""

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """A function of the template, or a method of a value."""
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        if isinstance(owner, str) and name == "replace":
            return self._replace(owner, *args, **kwargs)
        if isinstance(owner, str) and name == "join":
            return self._join(args[0] if args else (), owner)
        found = super().call(context, obj, *args, **kwargs)
        self.spend(1, found)
        return found

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
        """Arithmetic of small numbers, and texts and lists that are added."""
        sizes = [len(side) for side in (left, right) if isinstance(side, str | list | tuple)]
        numbers = [side for side in (left, right) if isinstance(side, int | float)]
        if operator == "**" or (sizes and operator != "+") or any(abs(n) > 2**53 for n in numbers):
            raise SecurityError(f"operator {operator} of these values")
        self.spend(1 + sum(sizes) // 1024)
        found = super().call_binop(context, operator, left, right)
        self.spend(0, found)
        return found

    def _spending(self, made: Callable[..., Any]) -> Callable[..., Any]:
        """A filter of jinja2's that counts; what marks it (the context that it takes, say) stays."""
        from functools import wraps

        @wraps(made)
        def spending(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            found = made(*args, **kwargs)
            self.spend(1 + _length(args[-1] if args else ()) // 64, found)
            return found

        return spending

    def _held(self, made: Any) -> Any:  # noqa: ANN401 (a list, a tuple, a dictionary)
        self.spend(1, made)
        return made

    def _each(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self.spend()
            yield item

    def _joined(self, parts: Sequence[Any]) -> str:
        texts = [str(part) for part in parts]
        self._bound(sum(map(len, texts)))
        return "".join(texts)

    def _part(self, value: Any, start: Any, stop: Any, step: Any) -> Any:  # noqa: ANN401
        self.spend(1 + _length(value) // 64)
        return value[slice(start, stop, step)]

    def _replace(self, text: str, old: str, new: str, count: int = -1) -> str:
        text, old, new = str(text), str(old), str(new)
        self._bound(len(text) + (len(text) + 1 if not old else text.count(old)) * len(new))
        return text.replace(old, new, -1 if count is None else count)

    def _join(self, value: Iterable[Any], d: str = "", attribute: str | None = None) -> str:
        if attribute is not None:
            raise SecurityError("join by an attribute")
        texts = [str(item) for item in self._each(value)]
        self._bound(sum(map(len, texts)) + len(texts) * len(d))
        return str(d).join(texts)

    def _tojson(self, value: Any, ensure_ascii: bool = False, indent: int | None = None, **_: Any) -> str:  # noqa: ANN401
        if indent is not None and not 0 <= indent <= 8:
            raise SecurityError(f"tojson with indent {indent}")
        self.spend(1)
        made = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)
        self._bound(len(made))
        return made

    def _bound(self, characters: int) -> None:
        self.spend(1 + characters // 1024)
        if characters > MAX_CHARACTERS:
            raise BundleError("chat template: it makes too much, or does not end")


def _filtered(name: str, node: nodes.Node, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None)


def _replace_nodes(node: nodes.Node) -> None:
    """Puts our filters in place of ``a ~ b`` and ``a[i:j]``, and around ``[a, b]``, below this node."""
    for field, value in node.iter_fields():
        if isinstance(value, list):
            setattr(node, field, [_replaced(item) for item in value])
        else:
            setattr(node, field, _replaced(value))


def _replaced(value: Any) -> Any:  # noqa: ANN401 (a node, or what nodes hold)
    if not isinstance(value, nodes.Node):
        return value
    _replace_nodes(value)
    if isinstance(value, nodes.Concat):
        return _filtered("edgekit_joined", nodes.List(value.nodes))
    if isinstance(value, nodes.Getitem) and isinstance(value.arg, nodes.Slice):
        ends = (value.arg.start, value.arg.stop, value.arg.step)
        return _filtered("edgekit_part", value.node, *(nodes.Const(None) if e is None else e for e in ends))
    if isinstance(value, nodes.List | nodes.Dict) or (isinstance(value, nodes.Tuple) and value.ctx == "load"):
        return _filtered("edgekit_held", value)
    return value


def _weight(value: object, left: int = MAX_WEIGHT) -> int:
    """How much there is in a value, each part as often as it is named: lists of lists double quickly.

    Raises:
        BundleError: more than ``left``.
    """
    weight, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        weight += 1 + (len(one) // 64 if isinstance(one, str) else 0)
        if weight + len(waiting) > left:
            raise BundleError("chat template: it makes too much, or does not end")
        if isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
    return weight


def _length(value: object) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict) else 0


def _raise(message: object) -> NoReturn:
    raise _RefusedError(str(message))


def _strftime_now(form: str) -> str:
    if len(form) > 64:
        raise SecurityError("a date's format of more than 64 characters")
    return datetime.now().astimezone().strftime(form)
