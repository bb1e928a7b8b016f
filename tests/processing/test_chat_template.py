from __future__ import annotations

from contextlib import nullcontext
from itertools import count
from types import SimpleNamespace

import pytest

from edgekit.errors import BundleError, DataError

pytest.importorskip("jinja2", reason="the extra text")

from edgekit.processing import chat_template
from edgekit.processing.chat_template import ChatTemplate

SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
    "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
GEMMA3 = """\
{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '

' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '

' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '
' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>
' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model
'}}
{%- endif -%}
"""
FEATURES = """
{%- macro quoted(x, mark='"') %}{{ mark ~ x ~ mark }}{% endmacro %}
{%- set ns = namespace(found=false, n=0) %}
{%- for m in messages if m.role != 'system' %}
  {%- set ns.n = ns.n + 1 %}
  {%- if loop.last %}{% set ns.found = true %}{% continue %}{% endif %}
{{ quoted(m.content.strip().split(' ')[-1] | upper) }}, {{ loop.length - loop.index }}
{% endfor %}
{% generation %}{{ ns.n * 2 }} {{ ns.found }}{% endgeneration %} {{ messages | map(attribute='role') | join('/') }}
{{ {'a': [1, none], 'ü': '<'} | tojson }} {{ 'abc'[::-1] }} {{ [1, 2] + [3] }} {{ undefined is defined }}
{{ 'a-b'.replace('-', '+') }} {{ messages | selectattr('role', 'equalto', 'user') | list | length }}
"""
TURNS = [
    {"role": "user", "content": " Hi there "},
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": "What is <b>2+2</b> {{ 1 }}?"},
]
SYSTEM = {"role": "system", "content": "Be short."}
NAMES = {"bos_token": "<bos>", "eos_token": "<eos>"}


@pytest.mark.parametrize("template", [SMOLLM2, GEMMA3, FEATURES], ids=["smollm2", "gemma3", "features"])
@pytest.mark.parametrize("turns", [TURNS[:1], TURNS, [SYSTEM, *TURNS]], ids=["one", "three", "system"])
@pytest.mark.parametrize("goes_on", [True, False])
def test_texts_are_those_of_transformers(template, turns, goes_on):
    module = pytest.importorskip("transformers.utils.chat_template_utils", reason="the oracle")
    (expected,), _ = module.render_jinja_template(
        [turns], chat_template=template, add_generation_prompt=goes_on, **NAMES
    )
    made = ChatTemplate(template, NAMES).render(turns, add_generation_prompt=goes_on)
    assert made == expected
    assert len(made) > 20


def test_smollm2s_turns():
    made = ChatTemplate(SMOLLM2, {}).render(TURNS[:1])
    assert made == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        "<|im_start|>user\n Hi there <|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize(("standing_s", "working_s", "ends"), [(3600, 0, True), (0, 6, False)])
def test_time_is_the_templates_own(monkeypatch, standing_s, working_s, ends):
    """Each look at a clock is so much later than the one before."""
    clocks = SimpleNamespace(
        monotonic=count(0, standing_s).__next__, thread_time=count(0, working_s).__next__
    )
    monkeypatch.setattr(chat_template, "time", clocks)
    with nullcontext() if ends else pytest.raises(BundleError, match="it makes too much, or does not end"):
        assert ChatTemplate(SMOLLM2, NAMES).render(TURNS).startswith("<|im_start|>system")


def test_a_template_may_refuse_turns():
    with pytest.raises(DataError, match="must alternate"):
        ChatTemplate(GEMMA3, NAMES).render(TURNS[1:])


DOUBLED = "{% set x = ['ab'] %}" + "{% set x = [x, x] %}" * 40
HOSTILE = {
    "long range": "{% for i in range(10**9) %}x{% endfor %}",
    "nested ranges": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "while hidden in a list": "{{ range(99999) | map('string') | map('length') | list | length }}" * 9,
    "repetition": "{{ 'a' * 10**9 }}",
    "repeated list": "{{ [1] * 999999999 }}",
    "power": "{{ 9**9**9 }}",
    "large product": "{{ 9007199254740992 * 9007199254740992 * 9007199254740992 }}",
    "formatted": "{{ '%1000000000d' % 1 }}",
    "format method": "{{ '{:1000000000}'.format(1) }}",
    "format filter": "{{ '%1000000000d' | format(1) }}",
    "padded": "{{ 'a'.center(1000000000) }}",
    "center filter": "{{ 'a' | center(1000000000) }}",
    "zeros": "{{ '1'.zfill(1000000000) }}",
    "indent": "{{ {'a': 1} | tojson(indent=1000000000) }}",
    "doubling": "{% set x = 'ab' %}" + "{% set x = x ~ x %}" * 40 + "{{ x }}",
    "adding": "{% set x = 'ab' %}" + "{% set x = x + x %}" * 40 + "{{ x }}",
    "replacing": "{% set x = 'ab' * 1 %}"
    + "{% set x = x.replace('a', 'aaaaaaaaaaaaaaaa') %}" * 40
    + "{{ x }}",
    "replace filter": "{% set x = 'a' %}"
    + "{% set x = x | replace('a', 'aaaaaaaaaaaaaaaa') %}" * 40
    + "{{ x }}",
    "replace of nothing": "{% set x = 'a' %}" + "{% set x = x | replace('', x) %}" * 40 + "{{ x }}",
    "joining": "{% set x = 'ab' %}" + "{% set x = x.join(['a', 'b', 'c', 'd']) %}" * 40 + "{{ x }}",
    "doubled lists": DOUBLED,
    "doubled lists as json": DOUBLED + "{{ x | tojson }}",
    "doubled dicts": "{% set x = 1 %}" + "{% set x = dict(a=x, b=x) %}" * 40 + "{{ x }}",
    "macros that call each other": (
        "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(90) }}"
    ),
    "endless recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "private attributes": "{{ ''.__class__.__mro__ }}",
    "map of formats": "{{ ['{:99999999}'] | map('format', 1) | list }}",
    "private through a filter": "{{ ((messages | map(attribute='__class__') | list)[0]).__mro__ }}",
    "file": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}",
    "extends": "{% extends 'x' %}",
    "random text": "{{ lipsum(n=100000) }}",
    "rounding": "{{ 1.5 | round(1000000000, 'ceil') }}",
    "changing the turns": "{{ messages.append(1) }}",
    "date": "{{ strftime_now('%Y' * 1 + 'x' ~ 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy') }}",
    "not jinja": "{% for %}",
    "unknown filter": "{{ 1 | nosuch }}",
    "deep brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "long": "x" * 300_000,
}


@pytest.mark.parametrize("template", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_templates_are_refused(template):
    with pytest.raises(BundleError, match="chat template: "):
        ChatTemplate(template, {}).render(TURNS)


def test_random_templates_end():
    import random

    rng = random.Random(5)
    parts = [
        "{% for m in messages %}", "{% endfor %}", "{{ m }}", "{{ messages", "}}", "{% set x = [x, messages] %}",
        "{{ x", "| tojson", "| join(x)", "[1:]", "{% if x %}", "{% endif %}", "* 9", "~ x", "{% macro f(a) %}",
        "{% endmacro %}", "{{ f(x) }}", "range(9999)", "{% set x =", "%}", "'text'", ".replace(", ")", "| list",
        "{%", "loop.index",
    ]  # fmt: skip
    for _ in range(300):
        try:
            made = ChatTemplate("".join(rng.choices(parts, k=rng.randint(1, 12))), {}).render(TURNS)
        except (BundleError, DataError):
            continue
        assert isinstance(made, str)
