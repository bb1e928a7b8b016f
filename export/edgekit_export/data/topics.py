"""One to three sentences on one of twelve topics, made of a few parts each: data for embedders without a download.

English of one register, so it tells one precision of a model from another, and nothing about how good the model is.
"""

from __future__ import annotations

import random
import re

VERSION = 1

_FRAMES: dict[str, tuple[str, ...]] = {
    "cooking": (
        "{Who} {cooked} {dish} {when}, with {spice} and a little too much salt.",
        "How long does {dish} need in the oven?",
        "The recipe for {dish} asks for {spice}, but {who} had none left.",
        "{Dish} tastes better {when}!",
    ),
    "weather": (
        "{Sky} is expected {when}, with gusts of {number} km/h on the coast.",
        "{Who} forgot the umbrella, and then {sky} came.",
        "Is {sky} likely {when} in the mountains?",
        "After {number} dry days, {sky} was a relief.",
    ),
    "trains": (
        "The train to {city} leaves {when} from platform {number}.",
        "{Who} missed the connection in {city} and waited {number} minutes.",
        "A return ticket to {city} costs {number} euros.",
        "Why is the night train to {city} cancelled?",
    ),
    "football": (
        "{City} won {number} to nil {when}, and nobody was surprised.",
        "{Who} scored a late goal against {city}.",
        "The coach of {city} blamed the referee for the penalty.",
        "The match in {city} was abandoned in minute {number}.",
    ),
    "money": (
        "Shares of the bank fell by {number} percent {when}.",
        "{Who} asked for a loan of {number} thousand euros.",
        "The company expects a loss in the quarter that ends {when}.",
        "Interest rates rose again, and {who} fixed the mortgage.",
    ),
    "health": (
        "{Who} has had {ill} since the weekend.",
        "Drink water and rest if you suffer from {ill}.",
        "The doctor saw {number} patients with {ill} {when}.",
        "Can {ill} be treated without medicine?",
    ),
    "computers": (
        "The {device} crashed {when} and lost {number} files.",
        "{Who} replaced the battery of the {device}.",
        "My {device} does not start after the update.",
        "How do I back up a {device} to another disk?",
    ),
    "gardens": (
        "{Who} planted {plant} along the fence {when}.",
        "{Plant} need sun and about {number} litres of water a week.",
        "Snails ate all of the {plant}.",
        "When should {plant} be cut back?",
    ),
    "music": (
        "{Who} practises the {instrument} for {number} minutes a day.",
        "The {instrument} was out of tune at the concert {when}.",
        "A second-hand {instrument} for sale, hardly played.",
        "The solo for {instrument} was the best part of the evening.",
    ),
    "animals": (
        "{Who} found {animal} behind the shed {when}.",
        "{Animal} sleeps up to {number} hours a day.",
        "Please do not feed {animal} in the park.",
        "What does {animal} eat in winter?",
    ),
    "law": (
        "The court sentenced {who} to a fine of {number} euros.",
        "The contract ends {when} unless either party objects.",
        "{Who} appealed against the ruling on the tenancy.",
        "Is a spoken contract with {who} binding?",
    ),
    "shopping": (
        "The {thing} arrived broken {when}; I want my money back.",
        "Great {thing}, worth every cent of the {number} euros!",
        "{Who} returned the {thing} because it was too small.",
        "Does the {thing} come with a guarantee?",
    ),
}
_WORDS: dict[str, tuple[str, ...]] = {
    "who": ("my neighbour", "the new colleague", "Anna", "Mr Okafor", "her brother", "an old friend", "the student"),
    "when": ("on Tuesday", "this morning", "in late autumn", "the day after", "at noon", "next week", "before dinner"),
    "number": ("3", "4", "7", "12", "15", "25", "40", "90"),
    "cooked": ("made", "burnt", "served", "warmed up"),
    "dish": ("lentil soup", "apple pie", "fried rice", "the roast chicken", "a mushroom omelette", "potato salad"),
    "spice": ("cumin", "fresh basil", "black pepper", "garlic", "cinnamon"),
    "sky": ("heavy rain", "thick fog", "snow", "a thunderstorm", "hail", "bright sunshine"),
    "city": ("Lyon", "Leeds", "Turin", "Porto", "Dresden", "Malmö"),
    "ill": ("a sore throat", "back pain", "a fever", "headaches", "an allergy", "a cough"),
    "device": ("laptop", "tablet", "office printer", "server", "phone"),
    "plant": ("roses", "tomatoes", "strawberries", "sunflowers", "runner beans"),
    "instrument": ("violin", "piano", "trumpet", "cello", "guitar", "flute"),
    "animal": ("the hedgehog", "a fox", "the tawny owl", "a stray cat", "the squirrel", "a tortoise"),
    "thing": ("kettle", "backpack", "winter coat", "desk lamp", "pair of boots", "suitcase"),
}  # fmt: skip
TOPICS = tuple(_FRAMES)


def write_sentence(seed: int, index: int) -> tuple[str, str]:
    """A text and its topic; topics take turns.

    Args:
        seed: same seed and index, same text.
        index: of the text.
    """
    topic = TOPICS[index % len(TOPICS)]
    drawn = random.Random(f"{seed}/{index}")  # the digest of a text: alike on every machine
    chosen = {name: drawn.choice(words) for name, words in _WORDS.items()}

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        word = chosen[name.lower()]
        return word[0].upper() + word[1:] if name[0].isupper() else word

    frames = drawn.sample(_FRAMES[topic], drawn.choice((1, 2, 2, 3)))
    return " ".join(re.sub(r"\{(\w+)\}", fill, frame) for frame in frames), topic
